import { cva, type VariantProps } from 'class-variance-authority'
import type { ReactNode, Ref } from 'react'
import { cx } from '../lib/class-names.ts'
import { Explained } from './Explained.tsx'

const look = cva(
  'inline-flex shrink-0 cursor-default items-center justify-center gap-1.5 rounded-[7px] font-strong whitespace-nowrap transition-colors duration-75 select-none',
  {
    variants: {
      tone: {
        primary: 'border border-transparent bg-accent text-accent-ink hover:bg-accent-hover',
        plain: 'border border-line-strong bg-raised text-ink hover:bg-hover',
        danger: 'border border-transparent bg-bad text-surface hover:opacity-90',
        quiet: 'border border-transparent text-ink-2 hover:bg-hover hover:text-ink',
      },
      size: { medium: 'h-8 px-3 text-13', small: 'h-7 px-2.5 text-12', icon: 'size-7 text-13' },
    },
    defaultVariants: { tone: 'plain', size: 'medium' },
  },
)

export type ButtonProps = VariantProps<typeof look> & {
  children: ReactNode
  onPress?: () => void
  type?: 'button' | 'submit'
  label?: string | undefined
  /** It cannot be used now, and why: it stays reachable, and says so on focus and hover. */
  disabledReason?: string | undefined
  className?: string
  ref?: Ref<HTMLButtonElement>
  expanded?: boolean | undefined
  opens?: 'menu' | 'dialog' | 'listbox' | undefined
}

/**
 * A plain HTML button. Not the one of react-aria-components: that costs 16 kB and a tenth of a second on a slow machine
 * before the first list, and what opens from a button here is told where it opens by a ref.
 */
export function Button(props: ButtonProps) {
  const {
    tone,
    size,
    className,
    children,
    label,
    disabledReason,
    type = 'button',
    expanded,
    opens,
    onPress,
    ref,
  } = props
  const classes = cx(look({ tone, size }), className)
  if (disabledReason !== undefined) {
    return (
      <Explained by={disabledReason}>
        {(id) => (
          <button
            type="button"
            aria-disabled="true"
            aria-describedby={id}
            aria-label={label}
            className={cx(classes, 'border-line! bg-sunken! text-ink-3!')}
          >
            {children}
          </button>
        )}
      </Explained>
    )
  }
  return (
    <button
      ref={ref}
      type={type}
      onClick={onPress}
      aria-label={label}
      aria-expanded={expanded}
      aria-haspopup={opens}
      className={classes}
    >
      {children}
    </button>
  )
}
