package boot

import "fmt"

const (
	stunnelConf = "/etc/stunnel/twip-efs.conf"

	// TunnelUnit is what carries NFS to the file system.
	TunnelUnit = "twip-tunnel.service"
)

// tunnelUnit keeps stunnel running: a hard mount waits for it for good. The store wants it rather than requires it,
// so that a tunnel which is restarted does not take the mount and its containers down.
var tunnelUnit = unit{TunnelUnit, `[Unit]
Description=TLS tunnel to the network file system
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/stunnel4 ` + stunnelConf + `
Restart=always
RestartSec=1

[Install]
WantedBy=twip.target
`}

// stunnel carries NFS to the file system over TLS and checks that the other end is that file system. The
// settings are those of Amazon's own mount helper:
// https://github.com/aws/efs-utils (src/mount_efs, STUNNEL_EFS_CONFIG)
func (e EFS) stunnel() string {
	return fmt.Sprintf(`foreground = yes
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
