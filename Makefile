# The commands of a day, for people and pipelines. `make` alone lists them.
#   STACK=train       which environment
#   CLOUD=local|aws   where it runs: on this computer, or in the account that your AWS credentials name
STACK ?= train
CLOUD ?= local

SHELL := /bin/bash
TWIP  := go run ./infra/cmd/twip -stack $(STACK)

# What needs neither Docker nor the Pulumi command line.
UNIT := ./components/... ./infra/... ./stacks/... ./tests/graph/...

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-18s %s\n", $$1, $$2}' Makefile

# The verbs are those of infra/cmd/twip, in its words; a test there holds the two lists together.

##@ this computer, whatever CLOUD says
.PHONY: prepare local local-destroy local-clean drill cost account
prepare: ## install and build what the local cloud needs, once
	@$(TWIP) prepare
local: ## bring the environment up on this computer, without an AWS account
	@$(TWIP) local
local-destroy: ## destroy it, data included
	@$(TWIP) local-destroy
local-clean: ## remove everything the local cloud ever made here, even after a crash
	@$(TWIP) local-clean
drill: ## break the environment under load, fault by fault, and judge what people saw; DRILL=name,name
	@$(TWIP) drill $(if $(DRILL),-drill $(DRILL))
cost: ## what the environment costs a month by list prices, resource by resource; VISITS=pages a second
	@$(TWIP) cost -visits $(or $(VISITS),0)
account: ## print the CloudFormation template of the pipeline's roles and state; REPOSITORY=owner/name
	@$(TWIP) account -repository "$(REPOSITORY)"

##@ any cloud: CLOUD=local|aws
.PHONY: up preview refresh destroy scale outputs status watch smoke bench images promote deliver rollback restore-points restore restore-drill
up: ## bring the environment up
	@$(TWIP) -cloud $(CLOUD) up $(if $(YES),-yes)
preview: ## show what `up` would change (with CLOUD=local no account is needed)
	@$(TWIP) -cloud $(CLOUD) preview
refresh: ## read the real state back into the stack
	@$(TWIP) -cloud $(CLOUD) refresh
destroy: ## destroy the environment; on AWS the stack's name is asked for, or CONFIRM=<stack>
	@$(TWIP) -cloud $(CLOUD) destroy $(if $(CONFIRM),-confirm $(CONFIRM))
scale: ## run APP=n app containers on the machine, or n app servers at the least
	@$(TWIP) -cloud $(CLOUD) scale -app $(or $(APP),$(error say how many: make scale APP=2))
outputs: ## print the stack's outputs
	@$(TWIP) -cloud $(CLOUD) outputs
status: ## machines, containers, health
	@$(TWIP) -cloud $(CLOUD) status
watch: ## status, again and again until Ctrl+C
	@$(TWIP) -cloud $(CLOUD) watch
smoke: ## visit the site: read, a static file, a post that is read back, refused attacks; WAIT=10m for it to come up
	@$(TWIP) -cloud $(CLOUD) smoke $(if $(WAIT),-wait $(WAIT))
bench: ## ApacheBench through the edge (on the local cloud also straight at Jetty); N=1000 C=10
	@$(TWIP) -cloud $(CLOUD) bench -n $(or $(N),1000) -c $(or $(C),10)
images: ## which image every tier runs
	@$(TWIP) -cloud $(CLOUD) images
promote: ## copy the images that FROM runs to STACK and name them there; builds nothing, runs nothing
	@$(TWIP) -cloud $(CLOUD) promote -from $(or $(FROM),$(error say from where: make promote FROM=train STACK=prod))
deliver: ## up FROM, smoke, promote, up STACK, smoke; rolls STACK back if its release does not do; prints times
	@$(TWIP) -cloud $(CLOUD) deliver $(if $(YES),-yes) \
		-from $(or $(FROM),$(error say from where: make deliver FROM=train STACK=prod))
rollback: ## name the release before in STACK; builds nothing, runs nothing
	@$(TWIP) -cloud $(CLOUD) rollback
restore-points: ## list the states of the data that can be gone back to
	@$(TWIP) -cloud $(CLOUD) restore-points
restore: ## go back to POINT=<epoch> of restore-points; the stack's name is asked for, or CONFIRM=<stack>
	@$(TWIP) -cloud $(CLOUD) restore -point $(or $(POINT),$(error name a point: make restore POINT=3)) \
		$(if $(CONFIRM),-confirm $(CONFIRM))
restore-drill: ## start the application on a copy of the data beside the site and compare their articles
	@$(TWIP) -cloud $(CLOUD) restore-drill

##@ AWS, whatever CLOUD says
.PHONY: review drift record preflight machine-image newer-images
review: ## what up would change, and what it costs, as a comment on a pull request
	@$(TWIP) -cloud aws review
drift: ## fail if what runs is not what the program declares; changes nothing
	@$(TWIP) -cloud aws drift
record: ## commit and push the release that promote wrote into the stack's file
	@$(TWIP) -cloud aws record
preflight: ## before a first up: does the account let the environment be made? changes nothing
	@$(TWIP) -cloud aws preflight
machine-image: ## make a machine image that has what machines install, from FROM=debian-13-…; SUBNET=subnet-…
	@$(TWIP) -cloud aws machine-image $(if $(FROM),-from $(FROM)) $(if $(SUBNET),-subnet $(SUBNET))
newer-images: ## write the newest machine image and base image into the stack's file; PROPOSE=1: as a pull request
	@$(TWIP) -cloud aws newer-images $(if $(PROPOSE),-propose)

##@ tests
.PHONY: test test-unit test-race test-machines test-keeper-long test-simulation-long test-mutants lint
test: lint test-unit test-race test-machines ## all tests; needs root for Docker and loop devices
test-unit: ## tests that need neither Docker nor the Pulumi command: seconds, once compiled
	go test $(UNIT)
test-race: ## the same under the race detector, with fewer simulated schedules
	go test -race $(UNIT)
test-machines: ## the real engine, the real images, real machines, real faults
	$(TWIP) prepare
	go test -count=1 -timeout 60m -p 1 -v ./tests/engine/... ./tests/images/... ./tests/machine/... ./tests/keeper/...
	go test -count=1 -timeout 30m -tags machines -run TestMachines -v ./infra/cmd/twip
	go test -count=1 -timeout 20m -v ./tests/nfs -schedules 8
test-keeper-long: ## 200 faults under load and 500 over NFS, pauses up to 60 and 100 s: about 2 hours
	go test -count=1 -timeout 120m -v -run TestFaults ./tests/keeper -faults 200 -pause 60s
	go test -count=1 -timeout 240m -v ./tests/nfs -schedules 500 -pause 100s
test-simulation-long: ## a million simulated schedules of keepers: about 80 minutes on 2 cores
	go test -count=1 -timeout 240m -v -run 'TestSimulation$$' ./infra/keeper -schedules 1000000
test-mutants: ## break the keeper in ways that lose data: its unit tests have to notice each; about 15 minutes
	go test -count=1 -tags mutants -timeout 90m -v ./tests/keeper/mutants
lint: ## formatting, vet, staticcheck, workflows, tidiness
	@test -z "$$(gofmt -l .)" || { echo "not formatted (run gofmt -w):"; gofmt -l .; exit 1; }
	@# A tab counts as one; URLs and the table of kinds, one line each, cannot be broken.
	@awk 'length($$0) > 120 && !/https?:/ { print FILENAME ":" FNR ": longer than 120 columns"; long = 1 } END { exit long }' \
		$$(git ls-files '*.go' | grep -v -e _test.go -e account/kinds.go)
	go vet -tags machines,mutants ./...
	go tool staticcheck ./...
	go tool actionlint
	go mod tidy -diff
