package boot

import "fmt"

const stunnelConf = "/etc/stunnel/twip-efs.conf"

// stunnel carries NFS to the file system over TLS and checks that the other end is that file system. The
// settings are those of Amazon's own mount helper:
// https://github.com/aws/efs-utils (src/mount_efs, STUNNEL_EFS_CONFIG)
func (e EFS) stunnel() string {
	return fmt.Sprintf(`foreground = no
pid = /run/twip-efs.pid
client = yes
socket = l:SO_REUSEADDR=yes
[efs]
accept = 127.0.0.1:20049
connect = %[1]s:2049
sslVersionMin = TLSv1.2
verifyChain = yes
CAfile = /etc/ssl/certs/ca-certificates.crt
checkHost = %[1]s
delay = yes
TIMEOUTbusy = 20
TIMEOUTclose = 0
TIMEOUTidle = 70
`, e.DNSName)
}
