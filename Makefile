# The commands of a day, for people and pipelines. `make` alone lists them.
#   STACK=train       which environment
#   CLOUD=local|aws   where it runs: on this computer, or in the account that your AWS credentials name
STACK ?= train
CLOUD ?= local

SHELL := /bin/bash
TWIP  := go run ./infra/cmd/twip -stack $(STACK) -cloud $(CLOUD)

# What needs neither Docker nor the Pulumi command line.
UNIT := ./components/... ./infra/... ./stacks/... ./tests/graph/...

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

.PHONY: local local-destroy local-clean
local: ## bring the environment up on this computer, without an AWS account
	@$(TWIP) up
local-destroy: ## destroy it, data included
	@$(TWIP) destroy
local-clean: ## remove everything the local cloud ever made here, even after a crash
	@$(TWIP) clean

.PHONY: preview refresh outputs status smoke bench images scale clean
preview: ## show what `up` would change (with CLOUD=local no account is needed)
	@$(TWIP) preview
refresh: ## read the real state back into the stack
	@$(TWIP) refresh
outputs: ## print the stack's outputs
	@$(TWIP) outputs
status: ## machines, containers, health
	@$(TWIP) status
smoke: ## visit the site: read, a static file, a post that is read back
	@$(TWIP) smoke
bench: ## ApacheBench through the edge (on the local cloud also straight at Jetty); N=1000 C=10
	@$(TWIP) bench -n $(or $(N),1000) -c $(or $(C),10)
images: ## which image every tier runs
	@$(TWIP) images
scale: ## run APP=n app containers on the machine
	@$(TWIP) scale -app $(or $(APP),$(error say how many: make scale APP=2))
clean: ## destroy the environment and remove what was built for it
	@$(TWIP) clean

.PHONY: test test-unit test-race test-machines test-keeper-long lint
test: lint test-unit test-race test-machines ## all tests; needs root for Docker and loop devices
test-unit: ## tests that need neither Docker nor the Pulumi command: seconds, once compiled
	go test $(UNIT)
test-race: ## the same under the race detector, with fewer simulated schedules
	go test -race $(UNIT)
test-machines: ## the real engine, the real images, real machines, real faults
	go run ./infra/cmd/twip prepare
	go test -count=1 -timeout 45m -p 1 -v ./tests/engine/... ./tests/images/... ./tests/machine/... ./tests/keeper/...
test-keeper-long: ## 200 faults under load, pauses up to a minute: about 35 minutes
	go test -count=1 -timeout 120m -v -run TestFaults ./tests/keeper -faults 200 -pause 60s
lint: ## formatting, vet, staticcheck, tidiness
	@test -z "$$(gofmt -l .)" || { echo "not formatted (run gofmt -w):"; gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff
