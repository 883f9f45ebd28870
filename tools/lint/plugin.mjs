// Our own lint rules. What each one is for stands in its message; `rooms.mjs` has the map of imports.

import { existsSync } from 'node:fs'
import path from 'node:path'

import { whyNot } from './rooms.mjs'

const rooms = {
  create(context) {
    const importer = path.relative(rootOf(context.filename), context.filename).split(path.sep).join('/')
    const check = (node) => {
      if (node.source?.type !== 'Literal' || typeof node.source.value !== 'string') return
      const message = whyNot(importer, node.source.value)
      if (message) context.report({ node: node.source, message })
    }
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportType: check,
    }
  },
}

const verifiedTls = {
  create(context) {
    const message =
      'A connection without verification is not a connection to a member. Where a pin takes the place of the chain, disable this line and say which check runs before the first credential byte.'
    return {
      Property(node) {
        if (nameOf(node.key, node.computed) !== 'rejectUnauthorized') return
        if (node.value.type === 'Literal' && node.value.value === true) return
        // A server that asks for a certificate and lets those without one in: that verifies nobody less.
        if (hasProperty(node.parent, 'requestCert')) return
        context.report({ node, message })
      },
      AssignmentExpression(node) {
        if (memberName(node.left) === 'rejectUnauthorized') context.report({ node, message })
      },
      MemberExpression(node) {
        if (memberName(node) === 'NODE_TLS_REJECT_UNAUTHORIZED') context.report({ node, message })
      },
    }
  },
}

const htmlSinks = new Set(['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'srcdoc', 'createContextualFragment'])

const noHtml = {
  create(context) {
    const report = (node) =>
      context.report({ node, message: 'Text is rendered as text: no markup from strings, no inline handlers.' })
    return {
      MemberExpression(node) {
        const name = memberName(node)
        if (htmlSinks.has(name)) report(node)
        if ((name === 'write' || name === 'writeln') && node.object.name === 'document') report(node)
      },
      JSXAttribute(node) {
        const name = node.name.name
        if (name === 'dangerouslySetInnerHTML' || name === 'srcDoc' || /^on[a-z]/.test(name)) report(node)
      },
      Property(node) {
        if (nameOf(node.key, node.computed) === 'dangerouslySetInnerHTML') report(node)
      },
      CallExpression(node) {
        const [first] = node.arguments
        if (memberName(node.callee) !== 'setAttribute' || first?.type !== 'Literal') return
        if (/^on|^srcdoc$/i.test(String(first.value))) report(node)
      },
    }
  },
}

export default {
  meta: { name: 'malleus' },
  rules: { rooms, 'verified-tls': verifiedTls, 'no-html': noHtml },
}

let root

/** The folder of the lint configuration: found from the linted file, so that tests can lint a repository of their own. */
function rootOf(file) {
  if (root !== undefined && file.startsWith(root + path.sep)) return root
  let folder = path.dirname(file)
  while (!existsSync(path.join(folder, '.oxlintrc.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder)
  }
  root = folder
  return root
}

function hasProperty(object, name) {
  return object?.properties?.some(
    (property) => property.type === 'Property' && nameOf(property.key, property.computed) === name,
  )
}

function memberName(node) {
  return node.type === 'MemberExpression' ? nameOf(node.property, node.computed) : undefined
}

function nameOf(node, computed) {
  if (node.type === 'Literal') return String(node.value)
  return computed ? undefined : node.name
}
