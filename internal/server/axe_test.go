package server_test

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe is axe-core of Deque's, which looks for what keeps people out of a page.
var axe = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("../../acceptance/node_modules/axe-core/axe.min.js")
	if err != nil {
		return "", fmt.Errorf("the packages of acceptance/ are missing, run make acceptance: %w", err)
	}
	return string(source), nil
})

// findViolations has every rule of axe looked for but its experimental ones, and the one of the size of targets, which
// is off by itself. It returns rule and element of each, an array in JSON.
const findViolations = `axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })
	.then(({ violations }) => JSON.stringify(violations.flatMap(({ id, nodes }) => nodes.map(
		({ html, target, any }) => id + " " + target.join(" ") + ": " + html.slice(0, 160) +
			(any[0] ? " (" + any[0].message + ")" : "")))))`

// bringAxe puts axe into a world of its own within the page, to which neither the page's policy applies nor what its
// scripts do. The world is gone with the page.
func (p *person) bringAxe() (in runtime.ExecutionContextID, err error) {
	source, err := axe()
	if err != nil {
		return 0, err
	}
	tree, err := chromedp.Call(p.tab, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	world, err := chromedp.Call(p.tab, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{
		FrameID: tree.FrameTree.Frame.ID, WorldName: "axe"})
	if err != nil {
		return 0, err
	}
	_, err = p.evaluateIn(world.ExecutionContextID, source+"; ''")
	return world.ExecutionContextID, err
}

// evaluateIn returns the value of an expression in a world of the page, as JSON.
func (p *person) evaluateIn(world runtime.ExecutionContextID, expression string) (string, error) {
	yes := true
	found, err := chromedp.Call(p.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: expression,
		ContextID: world, AwaitPromise: &yes, ReturnByValue: &yes})
	if err == nil && found.ExceptionDetails != nil {
		err = fmt.Errorf("axe: %s %v", found.ExceptionDetails.Text, found.ExceptionDetails.Exception)
	}
	if err != nil {
		return "", err
	}
	return string(found.Result.Value), nil
}

// violationsIn reads what findViolations has returned, as a string in JSON.
func violationsIn(answer string) (list []string, err error) {
	var text string
	if err := json.Unmarshal([]byte(answer), &text); err != nil {
		return nil, err
	}
	return list, json.Unmarshal([]byte(text), &list)
}
