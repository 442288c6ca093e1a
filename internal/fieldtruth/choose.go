package fieldtruth

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// Seed of the choice. It was fixed before the first run.
const Seed = 20261130

// PerSide is how many breaks, and how many passes, are chosen.
const PerSide = 40

// Choose takes breaks and passes by the seed, of the predictions of all tools
// and kernels. What cannot be told before is in neither.
func Choose(all []Prediction) (breaks, passes []int) {
	sides := map[kernel.Answer][]int{}
	for i := range all {
		sides[all[i].Attaches] = append(sides[all[i].Attaches], i)
	}
	for n, side := range []kernel.Answer{kernel.No, kernel.Yes} {
		list := sides[side]
		slices.SortFunc(list, func(a, b int) int { return strings.Compare(all[a].key(), all[b].key()) })
		rand.New(rand.NewPCG(Seed, uint64(n))).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:min(PerSide, len(list))]
		slices.SortFunc(list, func(a, b int) int { return cmp.Compare(a, b) })
		sides[side] = list
	}
	return sides[kernel.No], sides[kernel.Yes]
}

// key orders predictions, whatever order they were made in.
func (p *Prediction) key() string {
	return strings.Join([]string{p.Kernel, p.Object, p.Program, p.Hook}, " ")
}
