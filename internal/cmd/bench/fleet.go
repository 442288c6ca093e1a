package main

import (
	"context"
	"fmt"
)

// fleet measures check of many hooks on every kernel of the atlas in the program.
func (r *report) fleet(ctx context.Context, work string, rounds int) error {
	surehook, err := build(ctx, work)
	if err != nil {
		return err
	}
	hooks := fleetHooks()
	c := &command{
		name: fmt.Sprintf("surehook check --kernel all, %d hooks", len(hooks)),
		args: append([]string{surehook, "check", "--fail-on", "none", "--kernel", "all"}, hooks...),
	}
	if err := r.turns(ctx, rounds, []*command{c}); err != nil {
		return err
	}
	r.add(c.median() < maxFleet, "%d hooks on all kernels: %.2f s (target: below %.0f)", len(hooks), c.median().Seconds(), maxFleet.Seconds())
	r.add(c.memory < maxFleetMemory, "%d hooks on all kernels: %d MB of memory at its peak (target: below %d)", len(hooks), c.memory/1e6, maxFleetMemory/int64(1e6))
	return nil
}

// fleetHooks are 50 hooks as tracing programs have them, of every kind and of
// every fate: fine everywhere, renamed, absent in some kernels, inlined,
// clones, of several functions, of system calls. The list is fixed.
func fleetHooks() []string {
	return []string{
		"kprobe:do_sys_open", "kprobe:do_sys_openat2", "kprobe:vfs_read", "kprobe:vfs_write", "kprobe:vfs_fsync",
		"kprobe:vfs_open", "kprobe:vfs_unlink", "kprobe:vfs_rename", "kprobe:tcp_connect", "kprobe:tcp_v4_connect",
		"kretprobe:inet_csk_accept", "kprobe:tcp_sendmsg", "kprobe:tcp_retransmit_skb", "kprobe:tcp_set_state", "kprobe:tcp_drop",
		"kprobe:kfree_skb", "kprobe:ip_rcv", "kprobe:__netif_receive_skb_core", "kprobe:dev_queue_xmit", "kprobe:udp_recvmsg",
		"kprobe:finish_task_switch", "kprobe:try_to_wake_up", "kprobe:mutex_lock", "kprobe:account_page_dirtied", "kprobe:mark_page_accessed",
		"kprobe:add_to_page_cache_lru", "kprobe:blk_account_io_start", "kprobe:blk_mq_start_request", "kprobe:submit_bio", "kprobe:cap_capable",
		"kprobe:oom_kill_process", "kretprobe:lookup_fast", "kprobe:security_file_open", "kprobe:do_exit", "kprobe:s_show",
		"kprobe:__x64_sys_execve", "ksyscall:openat", "kprobe:*_unlink_file", "kprobe.multi:vfs_statx", "kprobe:no_such_function_anywhere",
		"fentry:vfs_read", "fentry:do_unlinkat", "fexit:tcp_v4_syn_recv_sock", "fentry:__alloc_pages", "fentry:icmp_send",
		"tracepoint:sched:sched_switch", "tracepoint:block:block_rq_issue", "rawtracepoint:sys_enter", "lsm:file_open", "lsm:bprm_check_security",
	}
}
