package edge

import (
	"fmt"
	"slices"

	"twip/components/internal/tag"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newCertificate asks ACM for a certificate, proves by DNS that the names are ours, and is done when it can be used.
// ACM renews it for as long as the records are there. Names must be distinct and in the domain's hosted zone.
//
// Certificates of one name in two regions ask for the same record. The second is told that it borrows it: the record
// stays when the second certificate goes, for the first could not be renewed without it.
func newCertificate(
	ctx *pulumi.Context, name string, domain *Domain, names []string, borrows bool, options ...pulumi.ResourceOption,
) (pulumi.StringOutput, error) {
	certificate, err := acm.NewCertificate(ctx, name, &acm.CertificateArgs{
		DomainName:              pulumi.String(names[0]),
		SubjectAlternativeNames: pulumi.ToStringArray(names[1:]),
		ValidationMethod:        pulumi.String("DNS"),
		KeyAlgorithm:            pulumi.String("EC_prime256v1"),
		Tags:                    tag.Named(name),
	}, options...)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("certificate of %s: %w", names[0], err)
	}
	var proofs pulumi.StringArray
	for _, covered := range names {
		asked := proofFor(certificate, covered)
		record, err := route53.NewRecord(ctx, name+"-proof-"+covered, &route53.RecordArgs{
			ZoneId:         pulumi.String(domain.ZoneID),
			Name:           asked.ResourceRecordName().Elem(),
			Type:           asked.ResourceRecordType().Elem(),
			Records:        pulumi.StringArray{asked.ResourceRecordValue().Elem()},
			Ttl:            pulumi.Int(300),   // seconds
			AllowOverwrite: pulumi.Bool(true), // it may be there for another certificate
		}, append(slices.Clone(options), pulumi.RetainOnDelete(borrows))...)
		if err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("proof for %s: %w", covered, err)
		}
		proofs = append(proofs, record.Fqdn)
	}
	valid, err := acm.NewCertificateValidation(ctx, name, &acm.CertificateValidationArgs{
		CertificateArn:        certificate.Arn,
		ValidationRecordFqdns: proofs,
	}, options...)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("validation of the certificate of %s: %w", names[0], err)
	}
	return valid.CertificateArn, nil
}

// proofFor finds what ACM asks for to prove one name; it answers for all names in no certain order.
func proofFor(certificate *acm.Certificate, name string) acm.CertificateDomainValidationOptionOutput {
	type option = acm.CertificateDomainValidationOption
	return certificate.DomainValidationOptions.ApplyT(func(options []option) (option, error) {
		for _, o := range options {
			if o.DomainName != nil && *o.DomainName == name {
				return o, nil
			}
		}
		return option{}, fmt.Errorf("certificate: ACM asks for no proof of %s, only "+
			"%d others: run pulumi up again", name, len(options))
	}).(acm.CertificateDomainValidationOptionOutput)
}
