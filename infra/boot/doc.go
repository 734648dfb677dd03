// Package boot renders the one document a machine gets: its cloud-init user data.
//
// Everything here is a pure function of typed values. The scripts under scripts/ are copied, without their
// comments, and never templated: values reach them as arguments in systemd units, and unit.go quotes them, so no
// value can break out of its place. What does not concern a machine's boot (which machines exist, which images
// they run) is decided in components and stacks.
//
// What the document does, in the order it happens:
//
//  1. cloud-init writes the units, the scripts and Docker's configuration;
//  2. twip-journal begins to send the journal, from its first line on, to CloudWatch Logs;
//  3. a machine of a group begins to count the time after which it gives up;
//  4. it installs Docker and Amazon's ECR credential helper from Debian's archive, however long that takes;
//  5. it starts twip.target: the store is mounted, the Docker network is made, and one unit per container runs
//     `docker run` in the foreground, which pulls a missing image by its digest.
//
// A reboot repeats steps 2 and 5 only, and needs neither Debian's archive nor the registry.
package boot
