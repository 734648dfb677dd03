// Package computer gives bodies, on the computer it runs on, to those AWS resources of the program that can run:
// instances, volumes, Elastic IPs, images, log groups. It knows Docker and loop devices; it knows nothing of Pulumi,
// and nothing of what the machines are for.
//
// An instance is a container with systemd as PID 1, which real cloud-init configures from the very user data that EC2
// would be given, and which runs Docker of its own. One more container, the endpoints, answers under AWS's own host
// names.
//
// # Differences
//
// The machine image is built from the packages that matter of Debian's cloud image (machine/Dockerfile). A machine
// differs from an EC2 instance in this, and in nothing else that is known:
//
//   - It trusts one more certificate authority, because the endpoints cannot have certificates of Amazon's.
//   - cloud-init reads the user data from a NoCloud seed and leaves the network alone, because Docker has configured
//     it. The user data's bytes are the same.
//   - There is no SSH server, because nobody logs in to machines; EC2's image has one, which no security group lets
//     anyone reach.
//   - machine/init runs before systemd: it makes the machine's own part of the cgroup tree writable, so that what
//     Docker starts inside counts against the machine's memory; it sets the route to the metadata service and makes the
//     nodes of attached volumes.
//   - udev does not run, because the kernel is the computer's: no /dev/disk/by-*. Attached volumes appear in /dev under
//     the name that was asked for, as on Xen instances. A machine may open any loop device, not only its own.
//   - The kernel, its clock and its processors are the computer's; /proc/meminfo shows the computer's memory, although
//     the machine's limit holds.
//   - The metadata service is moto's: the credentials are believable, most other answers are a table for no machine in
//     particular, but for the instance's id, the region and the role.
//   - Inbound connections come from a forwarder, so their source address is not the visitor's.
//   - A reboot that is asked for inside a machine stops it; Reboot, EC2's API call, works.
//   - mount.nfs4 is a stand-in that mounts a directory which the machines of a file system share: the computer's kernel
//     need not have NFS. The TLS tunnel runs, and nothing goes through it.
//   - Volumes are not encrypted, whatever the program asks for: they are files in the state directory.
//
// # Kernels
//
// After UseKernels a machine is a Linux kernel of its own: Debian's User Mode Linux, a kernel that runs as an ordinary
// process, in a container (kernel/machine) that carries the same labels, so that all else, removal above all, works as
// for containers. Its root disk is written copy-on-write over one that all share (guest/Dockerfile): the machine image,
// and what machines would install when they boot. A zone is a container in whose network machines have their
// interfaces; it is their router, firewall, name server and mount target (kernel/zone). A file system is one more
// kernel, an NFS 4.1 server (store/serve) that only zones talk to, by way of TLS. Its leases last 15 s, its grace
// period 10 s; EFS names neither.
//
// Such a machine differs from an EC2 instance as the list above says, but for the cgroups, the volumes and the memory,
// and in this:
//
//   - Its processor is slow at system calls and at starting processes (20 to 90 ms each), and as fast as the computer's
//     at computing.
//   - It uses iptables-legacy, because this kernel has no nf_tables for IPv4, and has its name server in
//     /etc/resolv.conf, because systemd-resolved is not in the machine image.
//   - A second interface, vec1, and port 9 on it, are how Exec reaches it while its network is down.
//   - Its clock may be two seconds off: nothing answers where EC2 gives the time.
//   - It takes no EBS volumes yet.
package computer
