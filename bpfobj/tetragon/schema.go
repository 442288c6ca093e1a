package tetragon

import "github.com/surehook/surehook/internal/yamltree"

// The schema of a policy (custom resource definition cilium.io/v1alpha1).

func text(words ...string) *yamltree.Schema {
	return &yamltree.Schema{Type: yamltree.Text, Words: words}
}

func listOf(elem *yamltree.Schema) *yamltree.Schema {
	return &yamltree.Schema{Type: yamltree.ListOf, Elem: elem}
}

func mapOf(required []string, fields map[string]*yamltree.Schema) *yamltree.Schema {
	return &yamltree.Schema{Type: yamltree.MapOf, Required: required, Fields: fields}
}

// with adds fields to a copy of others.
func with(base, more map[string]*yamltree.Schema) map[string]*yamltree.Schema {
	out := map[string]*yamltree.Schema{}
	for _, m := range []map[string]*yamltree.Schema{base, more} {
		for name, s := range m {
			out[name] = s
		}
	}
	return out
}

func policySchema() *yamltree.Schema {
	free, number, yes := &yamltree.Schema{}, &yamltree.Schema{Type: yamltree.Number}, &yamltree.Schema{Type: yamltree.Bool}
	label := &yamltree.Schema{Type: yamltree.MapOf}
	arg := argSchema()
	args := listOf(arg)
	result := mapOf(nil, arg.Fields) // its index says nothing
	selectors := listOf(selectorSchema())
	common := map[string]*yamltree.Schema{"message": text(), "tags": listOf(text()), "args": args, "data": args, "selectors": selectors}
	returns := map[string]*yamltree.Schema{"return": yes, "returnArg": result, "returnArgAction": text()}
	ignore := map[string]*yamltree.Schema{"ignore": mapOf(nil, map[string]*yamltree.Schema{"callNotFound": yes})}
	kprobe := mapOf([]string{"call"}, with(with(with(common, returns), ignore), map[string]*yamltree.Schema{"call": text(), "syscall": yes}))
	return mapOf([]string{"spec"}, map[string]*yamltree.Schema{
		"apiVersion": text(), "kind": text(), "metadata": free, "status": free,
		"spec": mapOf(nil, map[string]*yamltree.Schema{
			"kprobes": listOf(kprobe), "fentries": listOf(kprobe),
			"tracepoints": listOf(mapOf([]string{"subsystem", "event"}, with(common, map[string]*yamltree.Schema{"subsystem": text(), "event": text(), "raw": yes}))),
			"uprobes": listOf(mapOf([]string{"path"}, with(with(with(common, returns), ignore), map[string]*yamltree.Schema{
				"path": text(), "symbols": listOf(text()), "offsets": listOf(number), "addrs": listOf(number), "refCtrOffsets": listOf(number),
				"btfPath": text(), "resolvePathInContainer": yes, "binaryDigests": listOf(text()),
			}))),
			"usdts": listOf(mapOf([]string{"path", "provider", "name"}, with(common, map[string]*yamltree.Schema{
				"path": text(), "provider": text(), "name": text(), "btfPath": text(),
			}))),
			"lsmhooks": listOf(mapOf([]string{"hook"}, with(common, map[string]*yamltree.Schema{"hook": text()}))),
			"lists": listOf(mapOf([]string{"name"}, map[string]*yamltree.Schema{
				"name": text(), "values": listOf(text()), "type": text("syscalls", "generated_syscalls", "generated_ftrace"), "pattern": text(), "validated": yes,
			})),
			"enforcers": listOf(mapOf([]string{"calls"}, map[string]*yamltree.Schema{"calls": listOf(text())})),
			"options":   listOf(mapOf([]string{"name"}, map[string]*yamltree.Schema{"name": text(), "value": text()})),
			"loader":    yes, "podSelector": label, "containerSelector": label, "hostSelector": label, "selectorsMacros": label,
		}),
	})
}

func argSchema() *yamltree.Schema {
	number, yes := &yamltree.Schema{Type: yamltree.Number}, &yamltree.Schema{Type: yamltree.Bool}
	return mapOf([]string{"index"}, map[string]*yamltree.Schema{
		"index": number, "type": text(typeNames()...), "label": text(), "sizeArgIndex": number, "returnCopy": yes, "maxData": yes,
		"resolve": text(), "source": text(), "size": number, "btfType": text(),
	})
}

// selectorSchema is what filters and actions may have. Their values are no
// business of hooks.
func selectorSchema() *yamltree.Schema {
	number, yes, free := &yamltree.Schema{Type: yamltree.Number}, &yamltree.Schema{Type: yamltree.Bool}, &yamltree.Schema{}
	values := listOf(free)
	operator := map[string]*yamltree.Schema{"operator": text(), "values": values}
	match := listOf(mapOf([]string{"operator"}, with(operator, map[string]*yamltree.Schema{"index": number, "args": listOf(number)})))
	action := listOf(mapOf([]string{"action"}, map[string]*yamltree.Schema{
		"action": text(), "argFd": number, "argName": number, "argUrl": text(), "argFqdn": text(), "argError": number, "argSig": number, "argSock": number,
		"argRegs": listOf(text()), "argSet": free, "argIndex": number, "argValue": free, "rateLimit": text(), "rateLimitScope": text(),
		"kernelStackTrace": yes, "userStackTrace": yes, "imaHash": yes,
	}))
	binaries := listOf(mapOf([]string{"operator"}, with(operator, map[string]*yamltree.Schema{"followChildren": yes})))
	capabilities := listOf(mapOf([]string{"operator", "values"}, with(operator, map[string]*yamltree.Schema{"type": text(), "isNamespaceCapability": yes})))
	return mapOf(nil, map[string]*yamltree.Schema{
		"matchPIDs": listOf(mapOf([]string{"operator", "values"}, with(operator, map[string]*yamltree.Schema{"isNamespacePID": yes, "followForks": yes}))),
		"matchArgs": match, "matchData": match, "matchReturnArgs": match, "matchActions": action, "matchReturnActions": action,
		"matchBinaries": binaries, "matchParentBinaries": binaries,
		"matchNamespaces":       listOf(mapOf([]string{"namespace", "operator", "values"}, with(operator, map[string]*yamltree.Schema{"namespace": text()}))),
		"matchNamespaceChanges": listOf(mapOf([]string{"operator", "values"}, operator)),
		"matchCapabilities":     capabilities, "matchCapabilityChanges": capabilities, "matchCurrentCred": free, "matchWorkloads": free, "macros": listOf(text()),
	})
}
