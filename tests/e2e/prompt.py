"""A plugin that runs lines of Python inside OctoPrint."""

DURATION = r"(\d+[dhms] ?)+"


# A plugin that answers with what an interactive Python would show after each line.
PROMPT = """
import contextlib, io
import flask, octoprint.plugin

class Prompt(octoprint.plugin.SimpleApiPlugin):
    def is_api_protected(self):
        return True

    def on_api_get(self, request):
        answers = []
        for line in {lines!r}:
            with contextlib.redirect_stdout(io.StringIO()) as shown:
                exec(compile(line, "README.md", "single"), {{"self": self}})
            answers.append(shown.getvalue())
        return flask.jsonify(answers)

__plugin_name__ = "Prompt"
__plugin_pythoncompat__ = ">=3,<4"
__plugin_implementation__ = Prompt()
"""
