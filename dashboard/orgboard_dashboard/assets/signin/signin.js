/* Sign in, and open one-time links. A secret in the address is read from behind its # and taken
   out of it at once, so that neither history nor a screenshot has it. */
(function () {
  "use strict";

  const at = (id) => document.getElementById(id);
  const scheme = localStorage.getItem("mantine-color-scheme-value");
  const systems = matchMedia("(prefers-color-scheme: dark)");
  function paint() {
    const dark = scheme === "dark" || (scheme !== "light" && systems.matches);
    document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";
  }
  paint();
  systems.addEventListener("change", paint);

  async function post(path, body) {
    let response;
    try {
      response = await fetch(path, {
        method: "POST", credentials: "same-origin",
        headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
    } catch {
      return { error: "The board does not answer. Try again in a moment." };
    }
    const answer = await response.json().catch(() => ({}));
    return response.ok ? answer : { error: answer.error || `The server answered ${response.status}.` };
  }

  function show(error) {
    at("error").textContent = error;
    at("error").hidden = !error;
  }

  async function submit(event, path, body) {
    event.preventDefault();
    const button = event.submitter ?? event.target.querySelector("[type=submit]");
    button.disabled = true;
    show("");
    const answer = await post(path, body());
    if (answer.to) return location.replace(answer.to);
    button.disabled = false;
    if (answer.second) return askCode();
    show(answer.error);
    (isAsked("second") ? at("code") : at("password")).select();
  }

  const isAsked = (id) => at(id)?.hidden === false;

  /** The password was right; now for what only its owner's device knows. */
  function askCode() {
    at("second").hidden = false;
    at("code").required = true;
    at("code").focus();
  }

  /** Another name or password: whether a code is asked for is seen anew. */
  function askNoCode() {
    at("second").hidden = true;
    at("code").required = false;
    at("code").value = "";
  }

  const typed = () => ({ name: at("name").value.trim(), password: at("password").value });

  /** Go to the organisation's provider, and come back signed in. */
  function offer(body, mayGo = () => true) {
    const button = at("provider");
    button?.addEventListener("click", async () => {
      if (!mayGo()) return;
      button.disabled = true;
      at("provider-error").hidden = true;
      const answer = await post("sign-in/provider", body());
      if (answer.to) return location.assign(answer.to);
      button.disabled = false;
      at("provider-error").textContent = answer.error;
      at("provider-error").hidden = false;
    });
    // Who comes back by the browser's own button finds the page as it was left.
    addEventListener("pageshow", () => { if (button) button.disabled = false; });
  }

  function signIn() {
    const next = new URLSearchParams(location.search).get("next") ?? "";
    offer(() => ({ next }));
    at("sign-in").addEventListener("submit", (event) => {
      submit(event, "sign-in", () => ({ ...typed(), next, ...(isAsked("second") ? { code: at("code").value } : {}) }));
    });
    for (const id of ["name", "password"]) at(id).addEventListener("input", askNoCode);
  }

  async function welcome() {
    const secret = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    const link = secret ? await post("welcome/look", { secret }) : { error: "This link is not whole. Copy all of it." };
    if (link.error) {
      at("title").textContent = "This link does not open anything";
      at("words").textContent = link.error;
      return;
    }
    at("title").textContent = { setup: "Welcome to your board", invite: "Welcome", reset: `A new password for ${link.account}` }[link.purpose];
    at("words").textContent = {
      setup: "You make the first account. It runs the board: it can make teams, and invite people.",
      invite: link.team ? `You were invited to the team ${link.team}, as ${link.role}.` : "You were invited to this board.",
      reset: "Whoever is signed in with this account is signed out.",
    }[link.purpose];
    at("naming").hidden = link.purpose === "reset";
    at("name").required = link.purpose !== "reset";
    if (link.purpose === "reset") at("name").value = link.account;
    at("go").textContent = link.purpose === "reset" ? "Set the password" : "Make the account";
    at("welcome").hidden = false;
    if (at("instead")) at("instead").hidden = link.purpose === "setup";
    offer(() => ({ link: secret, name: link.purpose === "reset" ? "" : at("name").value.trim() }), () => at("name").reportValidity());
    (link.purpose === "reset" ? at("password") : at("name")).focus();
    at("welcome").addEventListener("submit", (event) => submit(event, "welcome", () => ({ ...typed(), secret })));
  }

  async function back() {
    const query = location.search;
    history.replaceState(null, "", location.pathname);
    const answer = query ? await post("back", { query }) : { error: "Begin at the sign-in." };
    if (answer.to) return location.replace(answer.to);
    at("title").textContent = "You are not signed in";
    at("back").textContent = answer.error;
    at("on").hidden = false;
    at("on").querySelector("a").focus();
  }

  async function shared() {
    const secret = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    const answer = secret ? await post("s", { secret }) : { error: "This link is not whole. Copy all of it." };
    if (answer.to) return location.replace(answer.to);
    at("title").textContent = "This link does not open anything";
    at("shared").textContent = answer.error;
  }

  at("reveal")?.addEventListener("click", () => {
    const shown = at("password").type === "password";
    at("password").type = shown ? "text" : "password";
    at("reveal").setAttribute("aria-pressed", String(shown));
    at("reveal").textContent = shown ? "Hide" : "Show";
  });
  if (at("sign-in")) signIn();
  else if (at("shared")) shared();
  else if (at("back")) back();
  else welcome();
})();
