import { randomBytes } from 'node:crypto'
import type { Person } from './person.ts'

/** A page and the policy it is sent with. No `form-action`: Chromium applies it to the redirect back to the console too. */
export interface Page {
  html: string
  contentSecurityPolicy: string
}

/** Who do you want to be? One button for each person; it works without JavaScript. */
export function loginPage(action: string, people: readonly Person[], clientName: string): Page {
  const buttons = people.map(
    (person) => `
      <button name="person" value="${escape(person.sub)}">
        <span class="avatar" aria-hidden="true">${escape(initials(person.name))}</span>
        <span class="who"><b>${escape(person.name)}</b><small>${escape(person.email ?? person.sub)}</small></span>
        <span class="role">${escape(roleOf(person))}</span>
      </button>`,
  )
  return page(
    'Sign in',
    `<p>to continue to <b>${escape(clientName)}</b></p>
    <form method="post" action="${escape(action)}">${buttons.join('')}
      <button class="quiet" name="cancel" value="yes">Cancel</button>
    </form>`,
  )
}

/** Goes on by itself, with a button where scripts do not run. */
export function continuePage(
  title: string,
  form: string,
  formId: string,
  field: { name: string; value: string },
): Page {
  return page(
    title,
    `${form}
    <button form="${formId}" name="${field.name}" value="${field.value}" id="continue">${escape(title)}</button>`,
    `document.getElementById('continue').click()`,
  )
}

/** A form made by the provider library (device codes), in our clothes. */
export function formPage(title: string, text: string, form: string, formId: string): Page {
  return page(title, `<p>${escape(text)}</p>${form}<button form="${formId}" type="submit">Continue</button>`)
}

export function messagePage(title: string, text: string): Page {
  return page(title, `<p>${escape(text)}</p>`)
}

function page(title: string, body: string, script?: string): Page {
  const nonce = randomBytes(16).toString('base64')
  const scripts = script === undefined ? '' : `<script nonce="${nonce}">${script}</script>`
  return {
    contentSecurityPolicy: `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body><main><h1>${escape(title)}</h1>${body}</main>${scripts}</body>
</html>`,
  }
}

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#16181d, #e8eaf0); --soft: light-dark(#5b6270, #9aa3b2);
  --line: light-dark(#dfe3ea, #2b313c); --card: light-dark(#fff, #171b22); --ground: light-dark(#f3f5f8, #0d1015);
  --accent: light-dark(#2f5bd7, #8fb0ff) }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
main { width: min(26rem, calc(100vw - 2rem)); padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; box-shadow: 0 12px 40px rgb(0 0 0 / .08) }
h1 { margin: 0; font-size: 1.35rem; font-weight: 650; letter-spacing: -.01em }
p { margin: .25rem 0 1.25rem; color: var(--soft) } p b { color: var(--ink) }
form { display: grid; gap: .5rem; margin: 0 }
button { display: flex; align-items: center; gap: .75rem; width: 100%; padding: .6rem .75rem; text-align: left; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 10px; cursor: pointer }
button:hover { border-color: var(--accent) } button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
input[type=text] { width: 100%; padding: .6rem .75rem; font: inherit; text-transform: uppercase; letter-spacing: .1em;
  color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 10px; margin-bottom: .5rem }
.avatar { flex: none; display: grid; place-items: center; width: 2.25rem; height: 2.25rem; border-radius: 50%;
  background: color-mix(in srgb, var(--accent) 16%, transparent); color: var(--accent); font-weight: 650; font-size: .8rem }
.who { display: grid; flex: 1; min-width: 0 } .who small { color: var(--soft); overflow: hidden; text-overflow: ellipsis }
.role { flex: none; font-size: .8rem; color: var(--soft) }
.quiet { justify-content: center; border-color: transparent; color: var(--soft) }
`

function roleOf(person: Person): string {
  return person.role ?? (person.groups.length > 0 ? person.groups.join(', ') : 'no role')
}

function initials(name: string): string {
  const words = name.split(/\s+/)
  return `${words[0]?.[0] ?? ''}${words.length > 1 ? (words.at(-1)?.[0] ?? '') : ''}`.toUpperCase()
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
