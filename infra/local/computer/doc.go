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
package computer
