package guardrails

import (
	"regexp"
	"slices"
	"strings"

	"twip/infra/boot"
)

var documentRules = []*Rule{
	{
		ID: "TWIP-CONTAINER-1", Title: "containers do not run as root",
		Source: containerGuide, Types: []string{instance, template},
		check: everyContainer(func(c boot.Run) bool { return ordinaryUser.MatchString(c.User) },
			"run every container with --user and numbers that are not 0"),
	},
	{
		ID: "TWIP-CONTAINER-2", Title: "containers write nowhere but to what is mounted for it",
		Source: containerGuide, Types: []string{instance, template},
		check: everyContainer(func(c boot.Run) bool { return c.ReadOnly },
			"run every container with --read-only"),
	},
	{
		ID: "TWIP-CONTAINER-3", Title: "containers have no capabilities, and gain none",
		Source: containerGuide, Types: []string{instance, template},
		check: everyContainer(func(c boot.Run) bool {
			return slices.Equal(c.CapDrop, []string{"ALL"}) && len(c.CapAdd) == 0 &&
				slices.Equal(c.SecurityOpt, []string{"no-new-privileges"})
		}, "run every container with --cap-drop ALL --security-opt no-new-privileges, and nothing that takes it back"),
	},
	{
		ID: "TWIP-CONTAINER-4", Title: "containers have limits of memory and processes",
		Source: containerGuide, Types: []string{instance, template},
		check: everyContainer(func(c boot.Run) bool {
			return limited(c.Memory) && c.Memory == c.MemorySwap && limited(c.PIDs)
		}, "run every container with --memory, the same --memory-swap, and --pids-limit"),
	},
	{
		ID: "TWIP-CONTAINER-5", Title: "containers see nothing of the machine: no privileges, no namespaces, no " +
			"Docker socket",
		Source: containerGuide, Types: []string{instance, template},
		check: everyContainer(contained, "take the flag away"),
	},
	{
		ID: "TWIP-CONTAINER-6", Title: "containers run from images that are named by digest, and take files from such",
		Source: containerGuide, Types: []string{instance, template},
		check: inUserData(func(d *document) bool {
			images := d.Images()
			return len(images) > 0 && !slices.ContainsFunc(images, func(i string) bool { return !digest.MatchString(i) })
		}, "use the image's RepoDigest"),
	},
	{
		ID: "TWIP-CONTAINER-7", Title: "containers log to CloudWatch, and do not stand still because of it",
		Source: "https://docs.docker.com/engine/logging/drivers/awslogs/", Types: []string{instance, template},
		check: everyContainer(func(c boot.Run) bool {
			return c.LogDriver == "awslogs" && slices.Contains(c.LogOptions, "mode=non-blocking")
		}, "run every container with --log-driver awslogs --log-opt mode=non-blocking"),
	},
	{
		ID: "TWIP-MOUNT-1", Title: "keepers see what others wrote, and wait for the store rather than fail a write",
		Source: "https://docs.aws.amazon.com/efs/latest/ug/mounting-fs-nfs-mount-settings.html", Types: []string{instance, template},
		check: inUserData(func(d *document) bool {
			mount := d.File("/twip-efs")
			given := options(mount)
			return mount == "" ||
				!slices.ContainsFunc(mountOptions, func(o string) bool { return !slices.Contains(given, o) })
		}, "mount with "+strings.Join(mountOptions, ",")),
	},
	{
		ID: "TWIP-MOUNT-2", Title: "the store is reached over TLS, and proves who it is",
		Source: "https://docs.aws.amazon.com/efs/latest/ug/encryption-in-transit.html", Types: []string{instance, template},
		check: inUserData(func(d *document) bool {
			tunnel := d.File("/stunnel/twip-efs.conf")
			return d.File("/twip-efs") == "" || strings.Contains(tunnel, "\nverifyChain = yes\n") &&
				safeTLS.MatchString(tunnel) && strings.Contains(tunnel, "\ncheckHost = ")
		}, "let stunnel verify the chain and the host, with TLS 1.2 or newer"),
	},
	{
		ID: "TWIP-BOOT-1", Title: "a machine of a group that does not come up makes way for another, however far it came",
		Source: ownDesign, Types: []string{template},
		check: inUserData(func(d *document) bool { return d.HasDeadline() },
			"let boot.Machine give up, and begin with that before it installs anything"),
	},
	{
		ID: "TWIP-ACCESS-1", Title: "machines let nobody log in",
		Source: ownDesign, Types: []string{instance, template},
		check: inUserData(func(d *document) bool { return !d.login },
			"take it out: machines have no SSH and no passwords"),
	},
	{
		ID: "TWIP-SECRET-1", Title: "user data holds no secret: whoever may describe a machine reads it",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html", Types: []string{instance, template},
		check: all(inUserData(func(d *document) bool { return !d.secret }, "let the machine fetch it with its role"),
			func(r *Resource, _ *Graph) []finding {
				if !r.Properties["userData"].ContainsSecrets() {
					return nil
				}
				return []finding{{r.at("userData"), "let the machine fetch it with its role"}}
			}),
	},
}

const containerGuide = "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html"

var (
	ordinaryUser = regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`)
	digest       = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
	safeTLS      = regexp.MustCompile(`\nsslVersionMin = TLSv1\.[23]\n`)
	// secrets are what they are known by, in lower case: access keys, private keys, and words that stand before one.
	// What a shell looks up by itself is none.
	secrets = regexp.MustCompile(
		`\b(akia|asia)[0-9a-z]{16}\b|-----begin [a-z ]*private key-----|` +
			`(password|passwd|secret|token|api_?key)["']?\s*[:=]\s*["']?[^\s"'$(][^\s"']{5,}`)
)

// logins are what cloud-init lets somebody in by, and secretWords what there is in a line with a secret; in lower case.
var (
	logins = []string{
		"ssh_authorized_keys",
		"ssh_import_id",
		"chpasswd",
		"ssh_pwauth",
		"plain_text_passwd",
		"hashed_passwd",
		"openssh-server",
	}
	secretWords = []string{"akia", "asia", "private key", "password", "passwd", "secret", "token", "apikey", "api_key"}
)

// mountOptions are the ones that the keeper's promises rest on.
var mountOptions = []string{
	"nfsvers=4.1",
	"hard",
	"noresvport",
	"actimeo=0",
	"lookupcache=none",
	"nodev",
	"nosuid",
	"noexec",
}

// options are the words of a script's variable options, between commas.
func options(script string) (all []string) {
	for line := range strings.Lines(script) {
		if given, ok := strings.CutPrefix(strings.TrimSpace(line), "options="); ok {
			all = append(all, strings.Split(given, ",")...)
		}
	}
	return all
}

func limited(value string) bool {
	return value != "" && value != "0" && value != "0m" && !strings.HasPrefix(value, "-")
}

// contained says whether a container has nothing but what boot gives one: its own network, the store, sockets of its
// own or those of all to look at, and files of the release before.
func contained(c boot.Run) bool {
	return len(c.Unknown) == 0 && c.Network == "twip" && !slices.ContainsFunc(c.Mounts, func(m string) bool {
		peers := strings.Contains(m, "source="+boot.SocketsDir+",") && strings.HasSuffix(m, ",readonly")
		own := strings.Contains(m, "source="+boot.SocketsDir+"/")
		return !strings.Contains(m, "source="+boot.StoreDir+",") && !peers && !own && m != boot.BeforeMount
	})
}
