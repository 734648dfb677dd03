// Package components is what TWIP's environments are put together from. Its four components say what runs; their args
// say where, on one host or in several zones:
//
//	StaticTier   images and stylesheets      one container, or an autoscaling group of nginx machines
//	AppTier      the dynamic pages           containers, or an autoscaling group of Jetty machines
//	EdgeProxy    what the internet meets     HAProxy on a public address, or an application load balancer
//	SharedStore  what people post            an EBS volume, or an EFS file system
//
// What stands under and around them has rooms of its own, named as AWS's users name things. Each depends only on those
// above it:
//
//	network      Public and Private (the VPC, its subnets, routes, NAT, endpoints), SecurityGroup, Connection
//	store        Volume, FileSystem, keys, backups
//	tier         StaticTier, AppTier, images, workloads, target groups
//	edge         Proxy, LoadBalancer, certificate, CDN, web ACL
//	compute      Host, AutoScalingGroup, InstanceRefresh, WorkingHours, launch template, roles
//	monitoring   Monitor (alarms, dashboard, saved queries), Outside (a look from the internet), Notifications
//
// Components get everything through their arguments: they read no configuration and no stack name, so that stacks is
// the only place where an environment is decided. Fields that decide which resources exist are plain Go values; fields
// that are only passed through are Inputs. Every constructor refuses bad arguments before it registers anything. What
// others need of a component is a documented field of it.
package components
