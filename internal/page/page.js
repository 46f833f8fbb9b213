// What pages can do besides being read. Each of them works without it.
const root = new URL(document.documentElement.dataset.root, location.href)
const isStatic = "static" in document.documentElement.dataset

// dress writes dates as the reader's browser does, shows the address that the reader came by, and puts a button to copy
// beside each command.
function dress(part) {
	for (const time of part.querySelectorAll("time[data-as]")) {
		const form = time.dataset.as === "moment" ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium" }
		time.title = time.dateTime
		time.textContent = new Date(time.dateTime).toLocaleString(undefined, form)
	}
	if (location.protocol.startsWith("http")) {
		for (const e of part.querySelectorAll("[data-address]")) {
			e.textContent = (e.dataset.address === "oci" ? root.host + root.pathname : root.href).replace(/\/$/, "")
		}
		for (const e of part.querySelectorAll("[data-hint]")) e.hidden = true
	}
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

// load puts the part of another page that has this id in the place of this page's.
async function load(url, id) {
	const answer = await fetch(url, { headers: { Accept: "text/html" } })
	if (!answer.ok) return false
	const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id)
	const old = document.getElementById(id)
	if (!fresh || !old) return false
	const open = [...old.querySelectorAll("details[open][id]")].map(d => d.id)
	for (const d of open) fresh.querySelector("#" + CSS.escape(d))?.setAttribute("open", "")
	dress(fresh)
	old.replaceWith(fresh)
	return true
}

// searchAsYouType loads the results of a form whenever it changes.
function searchAsYouType(form) {
	let timer, last = ""
	const search = async () => {
		const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value))
		const url = new URL("?" + query, root)
		if (last === url.href) return
		last = url.href
		if (await load(url, "results") && last === url.href) {
			history.replaceState(null, "", query.size ? url : root)
			say(document.getElementById("found").textContent)
		}
	}
	form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150) })
	form.addEventListener("submit", event => { event.preventDefault(); search() })
}

dress(document)
for (const form of document.querySelectorAll("form[data-as-you-type]")) if (!isStatic) searchAsYouType(form)
