module github.com/spiceecs/spiceecs/bench/jpeg

go 1.26.0

require github.com/spiceecs/spiceecs v0.0.0

require github.com/ebitengine/purego v0.11.3 // indirect

replace github.com/spiceecs/spiceecs => ../..
