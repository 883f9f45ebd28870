import { cva, type VariantProps } from 'class-variance-authority'
import type { ReactNode, Ref } from 'react'
import { Button as AriaButton } from 'react-aria-components/Button'
import { cx } from '../lib/class-names.ts'
import { Tooltip } from './Tooltip.tsx'

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
  isPending?: boolean
  className?: string
  ref?: Ref<HTMLButtonElement>
  expanded?: boolean | undefined
  opens?: 'menu' | 'dialog' | 'listbox' | undefined
}

export function Button(props: ButtonProps) {
  const { tone, size, className, children, label, disabledReason, type = 'button', expanded, opens, ...rest } = props
  const classes = cx(look({ tone, size }), className)
  if (disabledReason !== undefined) {
    return (
      <Tooltip text={disabledReason}>
        <button
          type="button"
          aria-disabled="true"
          aria-label={label}
          className={cx(classes, 'border-line! bg-sunken! text-ink-3!')}
        >
          {children}
        </button>
      </Tooltip>
    )
  }
  return (
    <AriaButton
      {...rest}
      type={type}
      className={classes}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(expanded === undefined ? {} : { 'aria-expanded': expanded })}
      {...(opens === undefined ? {} : { 'aria-haspopup': opens })}
    >
      {children}
    </AriaButton>
  )
}
