# A tree in the shape of openstack-helm, with the rules of its Makefile of 2026 that the page changes.
/opt/corpus -o /src/openstack-helm -kind taco-v2 && cd /src/openstack-helm
rm *.tgz
sed -i 's/^version: 2025\.2/version: 2026.1/' */Chart.yaml
mkdir -p tools && printf '#!/bin/sh\necho 2026.1.27+0ee5adeff\n' >tools/chart_version.sh && chmod +x tools/chart_version.sh
cat >Makefile <<'END'
HELM ?= helm
TASK ?= build
CHARTS := helm-toolkit $(filter-out helm-toolkit,$(patsubst %/Chart.yaml,%,$(wildcard */Chart.yaml)))

.PHONY: all $(CHARTS)
all: $(CHARTS)

$(CHARTS):
	@echo
	@echo "===== Processing [$@] chart ====="
	@$(MAKE) -s --no-print-directory $(TASK)-$@

%/CHANGELOG.md: ;

init-%:
	if [ -f $*/Makefile ]; then make -C $*; fi
	if grep -qE "^dependencies:" $*/Chart.yaml; then $(HELM) dep up $*; fi

lint-%: init-%
	if [ -d $* ]; then $(HELM) lint $*; fi

build-%: lint-% $(if $(filter-out 1,$(SKIP_CHANGELOG)),%/CHANGELOG.md)
	if [ -d $* ]; then \
		$(HELM) package $* --version $$(tools/chart_version.sh $* $(BASE_VERSION)) $(PKG_ARGS); \
	fi

package-%: init-%
	if [ -d $* ]; then $(HELM) package $* $(PKG_ARGS); fi
END
git init -q . && git add Makefile && git -c user.name=ann -c user.email=ann@example.com commit -qm charts
