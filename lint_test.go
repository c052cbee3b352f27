package spiceecs_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/spiceecs/spiceecs"
	maxLines = 600
)

// allowed says what of ours a folder's packages may import: the prefixes of
// what lies below them. The first entry that fits a package counts. Tests may
// import anything.
var allowed = []struct{ folder, imports string }{
	{"regions", ""},
	{"net/codec", "net/codec"},
	{"ecs", ""},
	{"components", "ecs regions qxl"},
	{"qxl", "qxl regions"},
	{"net", "net qxl regions ecs"},
	{"systems", "systems components net qxl regions ecs"},
	{"cmd", ". systems components net qxl regions ecs"},
	{"bench", ". bench systems components net qxl regions ecs"},
	{"fuzz", ". systems components net qxl regions ecs"},
	{".", "systems components net qxl regions ecs"},
}

// quarantined are the files that may import unsafe, besides benchmarks that call C.
var quarantined = regexp.MustCompile(`_unsafe(_test)?\.go$`)

func permitted(folder string) []string {
	for _, a := range allowed {
		if a.folder == "." || folder == a.folder || strings.HasPrefix(folder, a.folder+"/") {
			return strings.Fields(a.imports)
		}
	}
	return nil
}

// TestLayout holds the tree to the rules of docs/architecture.md: imports go
// one way, files stay short, unsafe stays in its quarantine.
func TestLayout(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "build"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		files++
		checkFile(t, filepath.ToSlash(name))
		return nil
	})
	noError(t, err)
	if files < 100 {
		t.Errorf("looked at %d files only", files)
	}
}

func checkFile(t *testing.T, name string) {
	t.Helper()
	src, err := os.ReadFile(name)
	noError(t, err)
	if n := bytes.Count(src, []byte("\n")); n > maxLines {
		t.Errorf("%s has %d lines, more than %d", name, n, maxLines)
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	noError(t, err)
	test := strings.HasSuffix(name, "_test.go")
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		noError(t, err)
		if imported == "unsafe" && !quarantined.MatchString(name) && !strings.HasPrefix(name, "bench/") {
			t.Errorf("%s imports unsafe", name)
		}
		if rest, ours := strings.CutPrefix(imported, module); ours && !test && !may(path.Dir(name), strings.TrimPrefix(rest, "/")) {
			t.Errorf("%s imports %s", name, imported)
		}
	}
}

// may reports whether a package of a folder may import another of ours.
func may(folder, imported string) bool {
	for _, p := range permitted(folder) {
		if p == "." && imported == "" || imported == p || strings.HasPrefix(imported, p+"/") {
			return true
		}
	}
	return false
}
