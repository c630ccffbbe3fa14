"""The frame around every page: header, run panel, page. It holds no data of anybody's."""
