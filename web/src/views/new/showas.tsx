import { Button, Code, CopyButton, Group, Modal, Stack, Tabs, Text } from "@mantine/core";
import { shellQuoted } from "../../shared/copytexts.ts";
import { startCommand } from "./formstate.ts";
import type { Preview, Submission } from "./formstate.ts";
import classes from "./new.module.css";

type ShowAsProps = { preview: Preview; asked: Submission; opened: boolean; onClose: () => void };

/** The same study as a command line, as a study file and as a request to the REST API. */
export function ShowAs({ preview, asked, opened, onClose }: ShowAsProps) {
  const texts = [
    { key: "cli", name: "Command line", text: preview.cli, note: "Run it in the project folder." },
    {
      key: "yaml",
      name: "Study file",
      text: preview.yaml,
      note: "Save it as study.yaml, then: rung run study.yaml",
    },
    {
      key: "rest",
      name: "REST",
      text: startCommand(asked, window.location.origin, shellQuoted),
      note: "RUNG_TOKEN is the token that this page was opened with.",
    },
  ];
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="The same study elsewhere"
      size="xl"
      lockScroll={false}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Tabs defaultValue="cli" keepMounted={false}>
        <Tabs.List>
          {texts.map(({ key, name }) => (
            <Tabs.Tab key={key} value={key}>
              {name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {texts.map(({ key, name, text, note }) => (
          <Tabs.Panel key={key} value={key} pt="sm">
            <Stack gap="xs">
              <Code block className={classes.code} tabIndex={0} aria-label={name} data-testid={`show-${key}`}>
                {text}
              </Code>
              <Group justify="space-between">
                <Text size="sm" c="dimmed">
                  {note}
                </Text>
                {navigator.clipboard !== undefined && (
                  <CopyButton value={text}>
                    {({ copied, copy }) => (
                      <Button variant="default" size="xs" onClick={copy}>
                        {copied ? "Copied" : "Copy"}
                      </Button>
                    )}
                  </CopyButton>
                )}
              </Group>
            </Stack>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Modal>
  );
}
