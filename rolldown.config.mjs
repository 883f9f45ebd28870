import { defineConfig } from 'rolldown'

/**
 * The server, and the thread its database runs in: each looks for the other beside itself. server/src/cli/launch.mjs is
 * put beside them as the command that starts the first.
 */
export default defineConfig([
  bundle({ malleus: 'server/src/cli/malleus.ts' }, 'console.mjs'),
  bundle({ 'sqlite-worker': 'server/src/database/sqlite-worker.ts' }, 'sqlite-worker.js'),
])

function bundle(input, entryFileNames) {
  return {
    input,
    platform: 'node',
    // All modules are one file here, which is what runs: without this, each that starts by itself would, beside the command.
    transform: { define: { 'import.meta.main': 'false' } },
    output: {
      dir: 'dist',
      format: 'esm',
      entryFileNames,
      codeSplitting: false,
      // Names and lines are kept: they are what an error on somebody's machine is read by.
      minify: { mangle: false, compress: true, codegen: false },
    },
  }
}
