package keeper

import "syscall"

// asm-generic/unistd.h and linux/audit.h. No number is as high as otherABI.
const (
	auditArchitecture = 0xc00000b7
	otherABI          = 0x40000000

	sysClone3      = 435
	sysExecveat    = 281
	sysSendmmsg    = 269
	sysMemfdCreate = 279
)

// refusedCalls are the system calls that no application needs, or that reach beyond it.
var refusedCalls = append([]uint32{
	sysExecveat, syscall.SYS_PTRACE, syscall.SYS_TKILL, syscall.SYS_RT_SIGQUEUEINFO, 240, // rt_tgsigqueueinfo
	syscall.SYS_MOUNT, syscall.SYS_UMOUNT2, syscall.SYS_PIVOT_ROOT, syscall.SYS_CHROOT, syscall.SYS_UNSHARE,
	268 /* setns */, 270, 271 /* process_vm_readv, writev */, 272 /* kcmp */, 241, /* perf_event_open */
	265 /* open_by_handle_at */, sysMemfdCreate, 280 /* bpf */, 282, /* userfaultfd */
	syscall.SYS_KEXEC_LOAD, 294 /* kexec_file_load */, syscall.SYS_INIT_MODULE, syscall.SYS_DELETE_MODULE, 273,
	syscall.SYS_ADD_KEY, syscall.SYS_REQUEST_KEY, syscall.SYS_KEYCTL, syscall.SYS_PERSONALITY,
}, refusedEverywhere...)
