// Lifting the kill latch, with a reason.

import { type FormEvent, useState } from "react";
import { post, request } from "../../api/client";
import { queryClient } from "../../api/queries";
import { Dialog } from "../../ui/Dialog";
import { Problem } from "../../ui/Problem";

export function ResetDialog({ onClose }: { onClose(): void }) {
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get("reason"));
    try {
      // The nonce is good once and for a minute: a reset that was recorded somewhere cannot be played again.
      const { nonce } = await request<{ nonce: string }>("reset");
      await post("reset", { reason, nonce });
      await queryClient.invalidateQueries();
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title="Lift the kill switch" onClose={onClose}>
      <form onSubmit={submit} className="flex flex-col gap-3">
        <p className="text-dim">The desk trades again as soon as it is reconciled.</p>
        <label className="flex flex-col gap-1 text-xs text-dim">
          Reason
          <input name="reason" className="field py-2" required maxLength={200} />
        </label>
        <Problem of={problem} />
        <div className="flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            Leave it killed
          </button>
          <button type="submit" className="button">
            Reset
          </button>
        </div>
      </form>
    </Dialog>
  );
}
