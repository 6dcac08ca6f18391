from rung.analysis.wording import last_words, one_line


def test_colours_of_a_program_are_not_words() -> None:
    assert one_line("\x1b[31;1mdiverged\x1b[0m:\tat 3\x07") == "diverged: at 3"


def test_the_last_words_are_the_last_line_that_says_something() -> None:
    assert last_words("warning: large\n\x1b[1mTerminated\x1b[0m\n \n") == "Terminated"
    assert last_words("\n \n") == ""
