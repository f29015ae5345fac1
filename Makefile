# What people and CI run. `make` alone lists it.

TAG ?= v1.0.0
export TAG

# Installed by the target that needs them, and only what is missing (tools/install.sh).
RELEASE_TOOLS := buildah docker-registry mmdebstrap qemu-user-static runc regctl trivy cosign
CHECK_TOOLS := shellcheck actionlint zizmor
TEST_TOOLS := chromium schemathesis skopeo docker.io busybox registry compose node helm kubeconform kubernetes-schemas \
	caddy prometheus libcap2-bin zsh fish curl

# The Node.js the service runs on: the pinned one where this machine's is older.
NODE24 := tools/node.sh

INSTALLED := node_modules/.package-lock.json
SITE_INSTALLED := tools/site/node_modules/.package-lock.json
STRYKER_INSTALLED := tools/stryker/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup tools rehearse test check test-dagger test-vault bench soak faults mutation fuzz docs clean prerequisites

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(INSTALLED) ## Install everything the targets below need
	@tools/install.sh $(RELEASE_TOOLS) $(CHECK_TOOLS) $(TEST_TOOLS)

tools: prerequisites ## Install only what a release needs
	@tools/install.sh $(RELEASE_TOOLS)

rehearse: $(INSTALLED) tools ## Rehearse a release from build to verified registry: make rehearse TAG=v1.0.0
	@exec tools/as-root.sh node --import tsx src/release/cli.ts rehearse "$$TAG"

test: check setup ## Run the static checks and every test (one kind: npm test -- unit)
	@exec tools/as-root.sh node test/run.mjs

check: $(INSTALLED) ## Run the static checks alone: types, style, scripts, workflows
	@tools/install.sh $(CHECK_TOOLS)
	@npm run --silent check
	@git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck
	@$(or $(THOTH_HOME),.thoth)/tools/bin/actionlint
	@$(or $(THOTH_HOME),.thoth)/tools/bin/zizmor --offline --quiet --persona pedantic .github

test-dagger: ## Run the Dagger module on a real engine (needs the dagger CLI)
	@exec ci/test-engine.sh

test-vault: setup ## Run the vault overlay with a real OpenBao or Vault: its image, or bao on the path
	@exec tools/as-root.sh $(NODE24) --import tsx test/kit/vault.ts

bench: setup ## Measure releases and the service beside others, into docs/bench; asserts nothing
	@tools/install.sh crane litellm
	@tools/as-root.sh node --import tsx bench/release/main.ts
	@exec $(NODE24) --import tsx bench/server/main.ts

soak: $(INSTALLED) ## Ask the service for ten minutes without a break, and write what memory it takes
	@exec $(NODE24) --import tsx bench/server/soak.ts

faults: setup ## Do harm to releases and to the service, and print what was lost
	@exec tools/as-root.sh node test/faults.mjs

docs: $(INSTALLED) $(SITE_INSTALLED) ## Build the documents into a site, dist/site; a link that leads nowhere ends it
	@tools/site/node_modules/.bin/vitepress build tools/site
	@$(NODE24) --import tsx tools/site/api-page.ts dist/site

mutation: $(INSTALLED) $(STRYKER_INSTALLED) ## Change each decision of src/release and ask whether a test notices
	@exec $(NODE24) tools/stryker/main.mjs

fuzz: $(INSTALLED) ## Make up 10,000 requests to the service and look at every answer
	@tools/install.sh schemathesis
	@exec $(NODE24) --import tsx bench/fuzz.ts

clean: ## Remove what builds and releases made; the tools stay
	@tools/as-root.sh tools/clean.sh

# Not printed by `make`: these run before the targets above.
prerequisites:
	@tools/prerequisites.sh

$(INSTALLED): package-lock.json | prerequisites
	@echo 'Installing npm packages'
	@npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(SITE_INSTALLED): tools/site/package-lock.json | prerequisites
	@echo 'Installing the npm packages of the site'
	@npm ci --prefix tools/site --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(STRYKER_INSTALLED): tools/stryker/package-lock.json | prerequisites
	@echo 'Installing the npm packages of Stryker'
	@npm ci --prefix tools/stryker --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@
