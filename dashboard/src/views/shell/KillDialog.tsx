// The kill switch needs two steps and a reason, so that it is not set by accident.

import { type FormEvent, useState } from "react";
import { post } from "../../api/client";
import { queryClient } from "../../api/queries";
import { Dialog } from "../../ui/Dialog";
import { Problem } from "../../ui/Problem";

export function KillDialog({ onClose }: { onClose(): void }) {
  const [reason, setReason] = useState("");
  const [flatten, setFlatten] = useState(false);
  const [sure, setSure] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!sure) return setSure(true);
    setBusy(true);
    try {
      await post("kill", { reason, flatten });
      await queryClient.invalidateQueries();
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };

  return (
    <Dialog title={sure ? "Kill the desk now?" : "Kill switch"} onClose={onClose} tone="alarm">
      <form onSubmit={submit} className="flex flex-col gap-3">
        {sure ? (
          <p>
            {flatten
              ? "Entries are cancelled and every position of the desk is closed; then no order is sent."
              : "Entries are cancelled. No order is sent, not even an exit: the desk's stops are not executed."}{" "}
            The desk stays killed over restarts, until a person resets it. Reason: <em>{reason}</em>
          </p>
        ) : (
          <>
            <label className="flex flex-col gap-1 text-xs text-dim">
              Reason
              <input
                className="field py-2"
                required
                maxLength={200}
                value={reason}
                onChange={event => setReason(event.target.value)}
              />
            </label>
            <label className="flex items-center gap-2">
              <input type="checkbox" checked={flatten} onChange={event => setFlatten(event.target.checked)} />
              Close the desk's positions first
            </label>
          </>
        )}
        <Problem of={problem} />
        <div className="mt-1 flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-alarm" disabled={busy}>
            {sure ? "Kill now" : "Continue"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
