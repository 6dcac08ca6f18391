import { Kbd, Modal, Table } from "@mantine/core";
import { useEffect, useEffectEvent, useRef } from "react";
import { TABS, wish, type Wish } from "./tabs.ts";
import { takesKeys } from "../../shared/keys.ts";

const PATIENCE_MS = 1200;

/** Keys pressed anywhere but in a field, and where nothing lies over the page, are heard as wishes. */
export function useShortcuts(grant: (wish: Wish) => void): void {
  const before = useRef({ key: "", at: 0 });
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || takesKeys(event.target))
      return;
    const last = event.timeStamp - before.current.at < PATIENCE_MS ? before.current.key : "";
    before.current = { key: event.key, at: event.timeStamp };
    const found = wish(last, event.key);
    if (found === null) return;
    event.preventDefault();
    grant(found);
  });
  useEffect(() => {
    const heard = (event: KeyboardEvent) => press(event);
    window.addEventListener("keydown", heard);
    return () => window.removeEventListener("keydown", heard);
  }, []);
}

/** What the keys do. */
export function Shortcuts({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keys"
      size="sm"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Table verticalSpacing={4}>
        <Table.Tbody>
          <Row keys={["/"]} does="write a filter" />
          {TABS.map((tab) => (
            <Row key={tab.value} keys={["g", tab.key]} does={`go to ${tab.label}`} />
          ))}
          <Row keys={["g", "s"]} does="go to the studies" />
          <Row keys={["g", "n"]} does="go to New study" />
          <Row keys={["Esc"]} does="clear the selection" />
          <Row keys={["?"]} does="show this" />
        </Table.Tbody>
      </Table>
    </Modal>
  );
}

function Row({ keys, does }: { keys: readonly string[]; does: string }) {
  return (
    <Table.Tr>
      <Table.Td w={90}>
        {keys.map((key) => (
          <Kbd key={key} mr={4}>
            {key}
          </Kbd>
        ))}
      </Table.Td>
      <Table.Td>{does}</Table.Td>
    </Table.Tr>
  );
}
