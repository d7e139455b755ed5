"""A small application for gunicorn."""

from flask import Flask, abort, jsonify, render_template_string

app = Flask(__name__)
PAGE = "<ul>{% for i in items %}<li>{{ i.name|upper }} {{ i.value * 2 }}</li>{% endfor %}</ul>"


@app.route("/")
def index():
    return "hello"


@app.route("/sum/<int:n>")
def total(n):
    return jsonify(n=n, total=sum(i * i % 7 for i in range(n)))


@app.route("/page/<int:n>")
def page(n):
    return render_template_string(PAGE, items=[{"name": f"x{i}", "value": i} for i in range(n)])


@app.route("/missing")
def missing():
    abort(404)
