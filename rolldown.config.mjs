import { defineConfig } from 'rolldown'

export default defineConfig({
  input: { malleus: 'server/src/cli/malleus.ts' },
  platform: 'node',
  // Optional parts of packages that look for what is not installed.
  external: ['pg-native'],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    codeSplitting: false,
    minify: { mangle: false, compress: true, codegen: false },
  },
})
