import { Check, Copy as CopyIcon } from 'lucide-react'
import { useState } from 'react'
import { Button } from './Button.tsx'

/** Puts a text on the clipboard, and says that it did. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle')
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setState('done'),
      () => setState('failed'),
    )
    setTimeout(() => setState('idle'), 1500)
  }
  return (
    <span className="inline-flex items-center">
      <Button tone="quiet" size="icon" label={`Copy ${what}`} onPress={copy}>
        {state === 'done' ? <Check size={14} className="text-good" /> : <CopyIcon size={14} />}
      </Button>
      <span role="status" className="sr-only">
        {state === 'done' ? 'Copied' : state === 'failed' ? 'The browser did not allow copying' : ''}
      </span>
    </span>
  )
}
