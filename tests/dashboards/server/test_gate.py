"""What a visitor reads who does not come in."""

from mnuts_dashboards.server.gate import refusal_page


def test_a_refusal_is_a_page_that_shows_its_words_and_tries_again_where_that_may_help():
    page = refusal_page(503, "Six <b>visitors</b> & more\u202e are here.", retry=15)
    assert "<h1>503 Service Unavailable</h1>" in page
    assert "<p>Six &lt;b&gt;visitors&lt;/b&gt; &amp; more\\u202e are here.</p>" in page
    assert '<meta http-equiv="refresh" content="15">' in page
    assert "refresh" not in refusal_page(404, "There is nothing here.")
    assert "<title>599 Error</title>" in refusal_page(599, "")
