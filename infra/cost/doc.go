// Package cost says what a declared environment costs a month by list prices, resource by resource. prices.yaml has
// every price; account.go has, for every type of resource, what of it is paid for. What nobody can know beforehand is
// assumed, and said to be: a load balancer works one capacity unit, stores hold 1 GiB, and there are as many visits as
// asked for.
package cost
