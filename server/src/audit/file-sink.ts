import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Sink, SinkSettings } from './sink.ts'

const NEWLINE = '\n'.charCodeAt(0)

/** Lines at the end of a file, safe on its disk when they are delivered; a mount that is gone is tried again. */
export function fileSink({ name, records, path }: Extract<SinkSettings, { kind: 'file' }>): Sink {
  return {
    name,
    wantsRecords: records,
    deliver: async (lines) => {
      const file = await open(path, 'a+', 0o600)
      try {
        const torn = await endsInTheMiddle(file)
        await file.appendFile(`${torn ? '\n' : ''}${lines.map(({ text }) => `${text}\n`).join('')}`)
        await file.datasync()
      } finally {
        await file.close()
      }
    },
    close: () => Promise.resolve(),
  }
}

/** A crash or a full disk may have left half a line; what follows has to begin on one of its own. */
async function endsInTheMiddle(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] !== NEWLINE
}
