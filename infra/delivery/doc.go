// Package delivery writes the account's side of the pipeline, as a CloudFormation template: who may preview, who may
// deploy which environment, and where the state is. It is no Pulumi stack because it has to be there before Pulumi has
// a place for a state. What a deploy role may do follows from the types of resources that the program declares
// (rights.txt), narrowed to names that begin with the environment's where IAM can tell.
package delivery
