// Package gen makes the chart trees and archives that chartserve is tested and
// measured on: the same seed gives the same bytes, on every machine.
//
// [TacoV2] and [TacoV1] are trees in the shape of openstack-helm (one of today,
// two sibling ones of February 2019): its charts' names, its layout, its
// helm-toolkit that nearly every chart includes, its Makefile, the junk beside
// the charts. The templates are this project's own and render with Helm 2, 3 and
// 4. [Archives] makes the packaged charts of a repository, whose values.yaml are as
// long and as mixed as those of public charts.
//
// Nothing here knows chartserve, and nothing is read from a network. Running
// clients and servers over what is made here is the business of the modules
// beside this one.
package gen
