package keeper

import "syscall"

// instruction is one of classic BPF's, linux/filter.h.
type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

// Codes, and the parts of what a filter is shown: linux/bpf_common.h, struct seccomp_data.
const (
	loadWord    = 0x20
	jumpEqual   = 0x15
	jumpAtLeast = 0x35
	jumpAnyBit  = 0x45
	and         = 0x54
	end         = 0x06

	allow   = 0x7fff0000
	refuse  = 0x00050000 | uint32(syscall.EPERM)
	unknown = 0x00050000 | uint32(syscall.ENOSYS)

	atNumber, atArchitecture, atArguments = 0, 4, 16
)

// low is the lower half of an argument, high the upper one.
func low(argument uint32) uint32  { return atArguments + 8*argument }
func high(argument uint32) uint32 { return low(argument) + 4 }

// Values of arguments: linux/sched.h, linux/socket.h, linux/in.h.
const (
	newNamespaces = 0x7e020000 // CLONE_NEW*, without CLONE_NEWTIME, which clone cannot be asked for
	fastOpen      = 0x20000000 // MSG_FASTOPEN connects
	socketTypes   = 0xf
)

// refusedEverywhere are system calls that have the same number on every architecture: asm-generic/unistd.h.
var refusedEverywhere = []uint32{
	424, 434, 438, // pidfd_send_signal, pidfd_open, pidfd_getfd
	425, 426, 427, // io_uring: it does what the filter does not see
	428, 429, 430, 431, 432, 433, 442, // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr
	440, 447, // process_madvise, memfd_secret
}

// filter is the program that decides about the system calls of what Confine starts. Its pid stays that of this process.
func filter(start call, pid int, outbound bool) []instruction {
	code := []instruction{
		{loadWord, 0, 0, atArchitecture}, {jumpEqual, 1, 0, auditArchitecture}, {end, 0, 0, refuse},
		{loadWord, 0, 0, atNumber}, {jumpAtLeast, 0, 1, otherABI}, {end, 0, 0, refuse},
	}
	on := func(number uint32, block ...instruction) {
		code = append(code, instruction{jumpEqual, 0, uint8(len(block)), number})
		code = append(code, block...)
	}
	no, yes := instruction{end, 0, 0, refuse}, instruction{end, 0, 0, allow}
	// equal refuses a call unless a word has the value; the next instruction is for those that have.
	equal := func(at, value uint32) []instruction {
		return []instruction{{loadWord, 0, 0, at}, {jumpEqual, 1, 0, value}, no}
	}
	var itself []instruction
	for n, address := range []uintptr{start.path, start.arguments, start.environment} {
		itself = append(itself, equal(low(uint32(n)), uint32(address))...)
		itself = append(itself, equal(high(uint32(n)), uint32(uint64(address)>>32))...)
	}
	on(syscall.SYS_EXECVE, append(itself, yes)...)
	for _, number := range refusedCalls {
		on(number, no)
	}
	on(sysClone3, instruction{end, 0, 0, unknown}) // its flags are in memory; C libraries try clone then
	on(syscall.SYS_CLONE, instruction{loadWord, 0, 0, low(0)}, instruction{jumpAnyBit, 0, 1, newNamespaces}, no, yes)
	for _, number := range []uint32{syscall.SYS_KILL, syscall.SYS_TGKILL} {
		on(number, append(equal(low(0), uint32(pid)), yes)...)
	}

	tcp := []instruction{
		{loadWord, 0, 0, low(0)}, {jumpEqual, 2, 0, syscall.AF_INET}, {jumpEqual, 1, 0, syscall.AF_INET6}, no,
		{loadWord, 0, 0, low(1)}, {and, 0, 0, socketTypes}, {jumpEqual, 1, 0, syscall.SOCK_STREAM}, no,
		// No other protocol: multipath TCP, for one, goes where TCP may not.
		{loadWord, 0, 0, low(2)}, {jumpEqual, 1, 0, 0}, {jumpEqual, 0, 1, syscall.IPPROTO_TCP}, yes, no,
	}
	if outbound {
		// Names are looked up by UDP.
		tcp[6] = instruction{jumpEqual, 2, 0, syscall.SOCK_STREAM}
		tcp = append(tcp[:7:7], instruction{jumpEqual, 1, 0, syscall.SOCK_DGRAM}, no,
			instruction{loadWord, 0, 0, low(2)}, instruction{jumpEqual, 2, 0, 0},
			instruction{jumpEqual, 1, 0, syscall.IPPROTO_TCP}, instruction{jumpEqual, 0, 1, syscall.IPPROTO_UDP}, yes, no)
	}
	on(syscall.SYS_SOCKET, tcp...)
	if !outbound {
		on(syscall.SYS_CONNECT, no)
		on(syscall.SYS_SENDTO, instruction{loadWord, 0, 0, low(4)}, instruction{jumpEqual, 0, 2, 0},
			instruction{loadWord, 0, 0, high(4)}, instruction{jumpEqual, 1, 0, 0}, no,
			instruction{loadWord, 0, 0, low(3)}, instruction{jumpAnyBit, 0, 1, fastOpen}, no, yes)
		on(syscall.SYS_SENDMSG, instruction{loadWord, 0, 0, low(2)}, instruction{jumpAnyBit, 0, 1, fastOpen}, no, yes)
		on(sysSendmmsg, instruction{loadWord, 0, 0, low(3)}, instruction{jumpAnyBit, 0, 1, fastOpen}, no, yes)
	}
	return append(code, yes)
}
