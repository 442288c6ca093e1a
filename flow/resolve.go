package flow

// resolve finds the targets of indirect jumps.
func resolve(b *builder, g *Graph) {
	for i := range g.Insns {
		if g.Insns[i].Kind == IndirectJump {
			g.Unresolved = append(g.Unresolved, int32(i))
		}
	}
}
