"""A supervisor that begins with a test's own words, such as another clock, said before the program is read."""


def supervise_after(before: str, owner: str, failpoint: str, networks: list[str]) -> None:
    """Run ``before``, then supervise. For a process that has read nothing of the program yet."""
    exec(before, {})  # names of its own, which its functions find again
    from tests.jobs.supervision.one_supervisor import supervise

    supervise(owner, failpoint, networks)
