// What pages can do besides being read. Each of them works without it.
const root = new URL(document.documentElement.dataset.root, location.href)
const isStatic = "static" in document.documentElement.dataset

// dress writes dates as the reader's browser does, shows the address that the reader came by, lets tables be searched, and
// puts a button to copy beside each command.
function dress(part) {
	for (const time of part.querySelectorAll("time[data-as]")) {
		const form = time.dataset.as === "moment" ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium" }
		time.title = time.dateTime
		time.textContent = new Date(time.dateTime).toLocaleString(undefined, form)
	}
	if (location.protocol.startsWith("http")) {
		for (const e of part.querySelectorAll("[data-address]")) {
			e.textContent = root.href.replace(/\/$/, "")
		}
		for (const e of part.querySelectorAll("[data-host]")) e.textContent = root.host
		for (const e of part.querySelectorAll("[data-plain]")) e.hidden = location.protocol === "https:"
		for (const e of part.querySelectorAll("[data-hint]")) e.hidden = true
	}
	for (const form of part.querySelectorAll("form[data-filter]")) filterRows(form, part)
	if (!navigator.clipboard) return
	for (const command of part.querySelectorAll(".command")) {
		const button = document.createElement("button")
		button.textContent = "Copy"
		button.addEventListener("click", async () => {
			await navigator.clipboard.writeText(command.querySelector("code").innerText)
			say("Copied")
		})
		command.append(button)
	}
}

// say tells a screen reader.
function say(text) { document.getElementById("said").textContent = text }

// served is what the server has sent of the parts of the page that are replaced when it changes, by their ids.
const served = new Map([...document.querySelectorAll("[data-live]")].map(part => [part.id, part.innerHTML]))

// load puts the parts of another page, or the one part that has this id, in the place of this page's, where they differ,
// and reports whether any did.
async function load(url, only) {
	const answer = await fetch(url, { headers: { Accept: "text/html" } })
	const isPage = answer.ok || answer.status === 503 // the one before the first index
	if (!isPage || !answer.headers.get("Content-Type")?.startsWith("text/html")) return false
	const fresh = new DOMParser().parseFromString(await answer.text(), "text/html")
	if (fresh.title !== document.title) return location.reload()
	let changed = false
	for (const part of fresh.querySelectorAll(only ? "#" + CSS.escape(only) : "[data-live]")) {
		const old = document.querySelector("[data-live]#" + CSS.escape(part.id)) // a chart may have that name too
		if (!old || served.get(part.id) === part.innerHTML) continue
		if (old.tagName !== part.tagName) return location.reload() // the first chart, or the last is gone
		served.set(part.id, part.innerHTML)
		changed = true
		replace(old, part)
	}
	return changed
}

// replace keeps open what was open, what was typed and chosen, and the focus where it was.
function replace(old, part) {
	for (const open of old.querySelectorAll("details[open][id]")) part.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "")
	const focus = old.contains(document.activeElement) && document.activeElement
	dress(part)
	const fields = [...old.querySelectorAll("input, select")], same = field => part.querySelector(`${field.localName}[name="${CSS.escape(field.name)}"]`)
	for (const field of fields) {
		const touched = field.options ? [...field.options].some(o => o.selected !== o.defaultSelected) : field.value !== field.defaultValue
		const fresh = touched && same(field)
		if (!fresh || fresh.options && ![...fresh.options].some(o => o.value === field.value)) continue
		fresh.value = field.value
		fresh.dispatchEvent(new Event("input"))
	}
	old.replaceWith(part)
	if (!focus) return
	const again = focus.id ? document.getElementById(focus.id) : focus.href ? [...part.querySelectorAll("a")].find(a => a.href === focus.href) : fields.includes(focus) && same(focus)
	again?.focus({ preventScroll: true })
}

// searchAsYouType loads the results of a form whenever it changes.
function searchAsYouType(form) {
	let timer, last = ""
	const search = async () => {
		const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value))
		const url = new URL("?" + query, root)
		if (last === url.href) return
		last = url.href
		await load(url, "results")
		if (last !== url.href) return
		history.replaceState(null, "", query.size ? url : root)
		say(document.getElementById("found").textContent)
	}
	form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150) })
	form.addEventListener("submit", event => { event.preventDefault(); search() })
}

// searchRows shows the rows of the list that a form asks for, in its order, where no server does.
function searchRows(form) {
	const list = document.querySelector("#results .charts"), found = document.getElementById("found")
	const rows = [...list.children], all = found.textContent
	for (const [name, value] of new URLSearchParams(location.search)) if (form.elements[name]) form.elements[name].value = value
	const search = () => {
		const { q, show, sort } = Object.fromEntries(new FormData(form))
		const words = q.toLowerCase().split(/\s+/)
		let count = 0
		for (const row of rows) {
			const { search, kinds } = row.dataset
			row.hidden = !(words.every(word => search.includes(word)) && (!show || kinds.split(" ").includes(show)))
			if (!row.hidden) count++
		}
		list.append(...sort === "changed" ? rows.toSorted((a, b) => b.dataset.changed - a.dataset.changed) : rows)
		found.textContent = q || show ? count + (count === 1 ? " chart found" : " charts found") : all
	}
	let timer, last
	const changed = () => {
		const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value))
		if (last === (last = query.toString())) return
		search()
		history.replaceState(null, "", query.size ? "?" + query : root)
		say(found.textContent)
	}
	form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(changed, 150) })
	form.addEventListener("submit", event => { event.preventDefault(); changed() })
	search()
}

// filterRows hides the rows of the part's table that lack a word of what is typed into a form.
function filterRows(form, part) {
	const input = form.elements.q, shown = part.querySelector("#" + form.dataset.filter + "-shown")
	const rows = [...part.querySelectorAll("#" + form.dataset.filter + " tbody tr")]
	const texts = rows.map(row => row.textContent.toLowerCase())
	form.hidden = false
	form.querySelector("button").hidden = true
	form.addEventListener("submit", event => event.preventDefault())
	input.addEventListener("input", () => {
		const words = input.value.toLowerCase().split(/\s+/)
		rows.forEach((row, i) => { row.hidden = !words.every(word => texts[i].includes(word)) })
		shown.textContent = rows.filter(row => !row.hidden).length + " of " + rows.length + " shown"
	})
}

// follow loads the page again whenever the repository has changed, while somebody looks at it.
function follow() {
	let source, loading, again
	const changed = async () => {
		if (again = loading) return
		loading = true
		try {
			if (await load(location.href)) say("The page has been updated")
		} finally {
			loading = false
		}
		if (again) changed()
	}
	const watch = () => {
		if (document.hidden || source) return
		source = new EventSource(new URL("events", root))
		source.addEventListener("change", changed)
		source.addEventListener("error", () => {
			if (source?.readyState !== EventSource.CLOSED) return
			source = null
			setTimeout(watch, 10000)
		})
	}
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) {
			source?.close()
			source = null
		}
		watch()
	})
	watch()
}

dress(document)
for (const form of document.querySelectorAll("form[data-scripted]")) form.hidden = false
for (const form of document.querySelectorAll("form[data-rows]")) searchRows(form)
for (const form of document.querySelectorAll("form[data-as-you-type]")) searchAsYouType(form)
if (!isStatic && served.size) follow()
