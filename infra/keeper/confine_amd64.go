package keeper

import "syscall"

// asm/unistd_64.h and linux/audit.h. Numbers from otherABI on are those of x32.
const (
	auditArchitecture = 0xc000003e
	otherABI          = 0x40000000

	sysClone3      = 435
	sysExecveat    = 322
	sysSendmmsg    = 307
	sysMemfdCreate = 319
)

// refusedCalls are the system calls that no application needs, or that reach beyond it.
var refusedCalls = append([]uint32{
	sysExecveat, syscall.SYS_PTRACE, syscall.SYS_TKILL, syscall.SYS_RT_SIGQUEUEINFO, 297, // rt_tgsigqueueinfo
	syscall.SYS_MOUNT, syscall.SYS_UMOUNT2, syscall.SYS_PIVOT_ROOT, syscall.SYS_CHROOT, syscall.SYS_UNSHARE,
	308 /* setns */, 310, 311 /* process_vm_readv, writev */, 312 /* kcmp */, 298, /* perf_event_open */
	304 /* open_by_handle_at */, sysMemfdCreate, 321 /* bpf */, 323, /* userfaultfd */
	syscall.SYS_KEXEC_LOAD, 320 /* kexec_file_load */, syscall.SYS_INIT_MODULE, syscall.SYS_DELETE_MODULE, 313,
	syscall.SYS_ADD_KEY, syscall.SYS_REQUEST_KEY, syscall.SYS_KEYCTL, syscall.SYS_IOPL, syscall.SYS_IOPERM,
	syscall.SYS_PERSONALITY,
}, refusedEverywhere...)
