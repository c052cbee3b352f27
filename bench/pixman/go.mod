module github.com/spiceecs/spiceecs/bench/pixman

go 1.26.0

require github.com/spiceecs/spiceecs v0.0.0

replace github.com/spiceecs/spiceecs => ../..
