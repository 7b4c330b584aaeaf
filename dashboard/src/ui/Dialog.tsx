// A modal on the platform's own <dialog>: focus stays inside, Escape closes it, the page behind is inert.

import { type ReactNode, useEffect, useRef } from "react";

interface DialogProps {
  title: string;
  onClose(): void;
  children: ReactNode;
  tone?: "plain" | "alarm";
}

export function Dialog({ title, onClose, children, tone = "plain" }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const border = tone === "alarm" ? "border-alarm" : "border-line-strong";
  return (
    <dialog
      ref={element}
      aria-label={title}
      onCancel={onClose}
      className={`w-[min(30rem,calc(100vw-2rem))] rounded-lg border ${border} bg-panel p-5 text-text shadow-2xl`}
    >
      <h2 className="mb-3 text-base font-semibold">{title}</h2>
      {children}
    </dialog>
  );
}
