package guardrails

import (
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

var imageRules = []*Rule{
	{
		ID: "ECR.1", Title: "repositories scan images",
		Source: securityHub("ECR.1"), Types: []string{repository},
		check: is("imageScanningConfiguration.scanOnPush", "true"),
	},
	{
		ID: "ECR.2", Title: "repositories never move a tag",
		Source: securityHub("ECR.2"), Types: []string{repository},
		check: is("imageTagMutability", "IMMUTABLE"),
	},
	{
		ID: "ECR.3", Title: "repositories let go of what is old",
		Source: securityHub("ECR.3"), Types: []string{repository},
		whole: companion("aws:ecr/lifecyclePolicy:LifecyclePolicy", "lifecycle policy", "add an ecr.LifecyclePolicy"),
	},
	{
		ID: "TWIP-IMAGE-1", Title: "images are named by their content, and made for the machines",
		Source: ownDesign, Types: []string{image},
		check: all(text("imageName", regexp.MustCompile(`:[0-9a-f]{16}$`).MatchString,
			"tag it with the hash of its build context"), is("build.platform", "linux/amd64")),
	},
	{
		ID: "TWIP-IMAGE-2", Title: "the registry's password is a secret in the state",
		Source: "https://www.pulumi.com/docs/iac/concepts/secrets/", Types: []string{image},
		check: secret("registry", "password", "wrap it in pulumi.ToSecret"),
	},
}

// secret asks that a value is marked as one, by itself or with the object that it is in.
func secret(object, property resource.PropertyKey, wayOut string) check {
	return func(r *Resource, _ *Graph) []finding {
		at := r.at(string(object + "." + property))
		outer := r.Properties[object]
		marked := outer.IsSecret() || outer.IsObject() && outer.ObjectValue()[property].IsSecret()
		if at.state != known || marked {
			return nil
		}
		return []finding{{value{path: at.path, v: resource.NewStringProperty("readable"), state: known}, wayOut}}
	}
}
