package recordtest

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/spiceecs/spiceecs/qxl"
)

// Diff says where two decoded commands of the same type differ, or "" if they
// are equal. Resources do not count, an empty slice is a nil one, and data in
// pieces is its concatenation.
func Diff(a, b any) string {
	return diff("", reflect.ValueOf(a), reflect.ValueOf(b))
}

func diff(path string, a, b reflect.Value) string {
	switch x := a.Interface().(type) {
	case qxl.Resource:
		return ""
	case qxl.Blob:
		y := b.Interface().(qxl.Blob)
		if x.Size != y.Size || !bytes.Equal(x.AppendTo(nil), y.AppendTo(nil)) {
			return fmt.Sprintf("%s: %d bytes and %d bytes, or other content", path, x.Size, y.Size)
		}
		return ""
	}
	switch a.Kind() {
	case reflect.Pointer:
		return diff(path, a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if s := diff(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); s != "" {
				return s
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: length %d and %d", path, a.Len(), b.Len())
		}
		for i := range a.Len() {
			if s := diff(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); s != "" {
				return s
			}
		}
		return ""
	}
	if !a.Equal(b) {
		return fmt.Sprintf("%s: %v and %v", path, a, b)
	}
	return ""
}
