"""A hook without `@hookimpl`."""


def harness_tasks():
    return []
