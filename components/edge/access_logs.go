package edge

import "twip/components/internal/policy"

// balancerLogs is the bucket that the account's load balancers in the region write their access logs to: they write
// below their own account's number only, so nobody else's find a place in it. Only the encryption with keys of S3
// itself is possible there:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
func balancerLogs(name, account, region string, days int) accessLogs {
	writers := map[string]string{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
	if account, old := balancerAccounts[region]; old {
		writers["AWS"] = "arn:aws:iam::" + account + ":root"
	}
	write := policy.Statement{
		Sid:       "Write",
		Effect:    "Allow",
		Principal: writers,
		Action:    []string{"s3:PutObject"},
		Resource:  []string{"{0}/AWSLogs/" + account + "/*"},
	}
	return accessLogs{
		name:      name,
		days:      days,
		ownership: ownedByPolicy,
		policy:    policy.Document{Statement: []policy.Statement{write, tlsOnly}},
	}
}

// balancerAccounts are Amazon's accounts that write access logs in regions older than August 2022; in younger ones the
// service principal does (same page).
var balancerAccounts = map[string]string{
	"af-south-1":     "098369216593",
	"ap-east-1":      "754344448648",
	"ap-northeast-1": "582318560864",
	"ap-northeast-2": "600734575887",
	"ap-northeast-3": "383597477331",
	"ap-south-1":     "718504428378",
	"ap-southeast-1": "114774131450",
	"ap-southeast-2": "783225319266",
	"ca-central-1":   "985666609251",
	"eu-central-1":   "054676820928",
	"eu-north-1":     "897822967062",
	"eu-south-1":     "635631232127",
	"eu-west-1":      "156460612806",
	"eu-west-2":      "652711504416",
	"eu-west-3":      "009996457667",
	"me-south-1":     "076674570225",
	"sa-east-1":      "507241528517",
	"us-east-1":      "127311923021",
	"us-east-2":      "033677994240",
	"us-west-1":      "027434742980",
	"us-west-2":      "797873946194",
}
