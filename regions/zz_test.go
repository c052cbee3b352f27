package regions
import ("testing";"math/rand/v2";"time")
func TestZHostile(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1,1))
	run := func(name string, f func(i int32) Rect) {
		rs := make([]Rect, 65536)
		for i := range rs { rs[i] = f(int32(i)) }
		var r Region
		s := time.Now(); r.SetRects(rs)
		d := time.Since(s)
		sz := 0
		if r.dense != nil { sz = cap(r.dense.cells)*8+cap(r.dense.rows)*12 } else if r.sparse != nil { sz = cap(r.sparse.cells)*4+cap(r.sparse.rows)*12 }
		t.Log(name, d, r.dense!=nil, sz>>10, "KiB", r.NumRects())
	}
	run("nested", func(i int32) Rect { i/=2; return Rect{-i,-i,i,i} })
	run("random", func(i int32) Rect { return XYWH(rnd.Int32N(30000), rnd.Int32N(30000), 1+rnd.Int32N(3000), 1+rnd.Int32N(3000)) })
	run("randomsmall", func(i int32) Rect { return XYWH(rnd.Int32N(30000), rnd.Int32N(30000), 1+rnd.Int32N(30), 1+rnd.Int32N(30)) })
	run("stripes1080p", func(i int32) Rect { if i%2==0 { return XYWH(i%1920,0,1,1080)}; return XYWH(0, i%1080/4*4, 1920,1) })
	run("talltiny", func(i int32) Rect { return XYWH(i/2-i%2, -i/2, 1, i+1) })
	run("stripes8k", func(i int32) Rect { if i%2==0 { return XYWH(i*2%7680,0,1,4320)}; return XYWH(0, i*2%4320, 7680,1) })
	run("worst", func(i int32) Rect { if i%2==0 { return XYWH(i/4*4-32768,-32768,1,65535)}; return XYWH(-32768, i/4*4-32768, 65535,1) })
}
