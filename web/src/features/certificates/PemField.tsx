import { useId, useRef } from 'react'
import { Button } from '../../ui/Button.tsx'

/** Text in PEM form, pasted or read from a file. Nothing of it is kept by the browser. */
export function PemField(props: {
  label: string
  hint: string
  value: string
  onChange: (text: string) => void
  /** Not to be looked at over somebody's shoulder. */
  secret?: boolean
}) {
  const { label, hint, value, onChange, secret = false } = props
  const id = useId()
  const file = useRef<HTMLInputElement>(null)
  const read = async (chosen: File | undefined): Promise<void> => {
    if (chosen !== undefined) onChange(await chosen.text())
  }
  return (
    <div>
      <div className="mb-1 flex items-center gap-2">
        <label htmlFor={id} className="font-strong">
          {label}
        </label>
        <span className="ml-auto">
          <Button size="small" label={`Read ${label.toLowerCase()} from a file`} onPress={() => file.current?.click()}>
            From a file…
          </Button>
        </span>
        <input
          ref={file}
          type="file"
          hidden
          aria-hidden="true"
          tabIndex={-1}
          onChange={(event) => {
            void read(event.target.files?.[0])
            // The same file may be chosen again after it was changed.
            event.target.value = ''
          }}
        />
      </div>
      <textarea
        id={id}
        value={value}
        rows={secret ? 4 : 6}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
        className={`w-full rounded-[7px] border border-line-strong bg-raised px-2.5 py-1.5 font-mono text-11 text-ink ${secret ? '[-webkit-text-security:disc]' : ''}`}
      />
      <p id={`${id}-hint`} className="mt-1 text-12 text-ink-3">
        {hint}
      </p>
    </div>
  )
}
