const hint = document.getElementById("hint")
if (location.protocol.startsWith("http")) {
	document.getElementById("address").textContent = new URL(".", location.href).href.replace(/\/$/, "")
	hint.hidden = true
}
