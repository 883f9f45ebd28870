// The identity provider of a lab that was started from the command line, in a process of its own.
//
//   node provider-process.ts SETTINGS      (a JSON file, see ProviderSettings)

import { readFileSync } from 'node:fs'
import { startIdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import { ProviderSettings } from './provider.ts'

const [file = ''] = process.argv.slice(2)
const { host, port, tls, console, people, audience } = ProviderSettings.parse(JSON.parse(readFileSync(file, 'utf8')))

await startIdentityProvider({ host, port, console, people, audience, ...(tls === undefined ? {} : { tls }) })
